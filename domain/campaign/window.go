package campaign

import (
	"strconv"
	"strings"

	"github.com/cleversender/cleversender/domain"
)

// ErrBadWindow: the text says no hours.
var ErrBadWindow = domain.Refuse("bad_window", `a send window is days, hours and a time zone, such as "mon-fri 09:00-18:00 Europe/Berlin"`)

// Window is the hours in which a campaign may send. One that ends before it
// begins ends on the next day.
type Window struct {
	Days        [7]bool // from Sunday
	From, Until int     // minutes after midnight, by the clock on the wall; at most 1,440
	Zone        string  // IANA name
}

var weekdays = []string{"sun", "mon", "tue", "wed", "thu", "fri", "sat"}

// ParseWindow reads days, hours and a zone: "mon-fri 09:00-18:00 Europe/Berlin",
// "sat,sun 22:00-02:00 UTC". Whether there is such a zone is not asked.
func ParseWindow(s string) (Window, error) {
	parts := strings.Fields(s)
	if len(parts) != 3 || strings.Join(parts, " ") != s || s != strings.ToValidUTF8(s, "") || len(s) > 100 {
		return Window{}, ErrBadWindow
	}
	w := Window{Zone: parts[2]}
	for span := range strings.SplitSeq(parts[0], ",") {
		first, last, isRange := strings.Cut(span, "-")
		from, until := weekday(first), weekday(last)
		if !isRange {
			until = from
		}
		if from < 0 || until < 0 {
			return Window{}, ErrBadWindow
		}
		for d := from; ; d = (d + 1) % 7 {
			w.Days[d] = true
			if d == until {
				break
			}
		}
	}
	from, until, isRange := strings.Cut(parts[1], "-")
	var ok, okToo bool
	w.From, ok = clock(from)
	w.Until, okToo = clock(until)
	if !isRange || !ok || !okToo || w.From == w.Until || w.From == 24*60 || w.Zone == "Local" {
		return Window{}, ErrBadWindow
	}
	return w, nil
}

func weekday(s string) int {
	for d, name := range weekdays {
		if s == name {
			return d
		}
	}
	return -1
}

// clock reads "09:30" as minutes after midnight.
func clock(s string) (minutes int, ok bool) {
	if len(s) != 5 || s[2] != ':' {
		return 0, false
	}
	h, err := strconv.ParseUint(s[:2], 10, 8)
	m, errToo := strconv.ParseUint(s[3:], 10, 8)
	if err != nil || errToo != nil || h > 24 || m > 59 || h == 24 && m > 0 {
		return 0, false
	}
	return int(60*h + m), true
}
