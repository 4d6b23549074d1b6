package csvimport

import (
	"strings"
	"time"
)

// layouts of a time that can be read in one way only. Without a zone it is UTC.
var layouts = []string{
	time.RFC3339, "2006-01-02", "2006-01-02 15:04:05", "2006-01-02 15:04", "2006-01-02T15:04:05", "2006-01-02T15:04",
	"2006-01-02 15:04:05Z07:00", "2006-01-02 15:04:05 -0700", "2006-01-02 15:04:05 MST", "02.01.2006", "02.01.2006 15:04", "02.01.2006 15:04:05",
	"2 Jan 2006", "2 January 2006", "Jan 2, 2006", time.RFC1123Z, time.RFC1123,
}

var earliest = time.Date(1970, 1, 1, 0, 0, 0, 0, time.UTC)

// clock reads the times of one file, which tend to share a layout.
type clock struct {
	latest time.Time // nobody has consented after it
	layout string
}

// parse reads when the account says that somebody consented; ok is false when
// that cannot be told, or cannot be.
func (c *clock) parse(s string) (at time.Time, ok bool) {
	if s == "" {
		return time.Time{}, true
	}
	if c.layout != "" {
		if at, err := time.Parse(c.layout, s); err == nil {
			return c.within(at)
		}
	}
	for _, layout := range layouts {
		if strings.HasSuffix(layout, "MST") && !strings.HasSuffix(s, "UTC") && !strings.HasSuffix(s, "GMT") {
			continue // a zone by letters means different things to different people
		}
		if at, err := time.Parse(layout, s); err == nil {
			c.layout = layout
			return c.within(at)
		}
	}
	return time.Time{}, false
}

func (c *clock) within(at time.Time) (time.Time, bool) {
	at = at.UTC().Truncate(time.Second)
	return at, !at.Before(earliest) && !at.After(c.latest)
}
