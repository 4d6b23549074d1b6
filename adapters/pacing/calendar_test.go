package pacing_test

import (
	"testing"
	"time"
	_ "time/tzdata"

	"github.com/cleversender/cleversender/adapters/pacing"
)

// A campaign sends within its hours, by the clock on the wall, also on the days
// on which that clock is set; outside it is told when they begin.
func TestWindow(t *testing.T) {
	for _, c := range []struct{ name, window, now, again string }{
		{"always", "", "2026-07-01T03:00:00Z", ""},
		{"open", "mon-fri 09:00-18:00 Europe/Berlin", "2026-07-01T07:00:00Z", ""},
		{"to the last second", "mon-fri 09:00-18:00 Europe/Berlin", "2026-07-01T15:59:59Z", ""},
		{"before", "mon-fri 09:00-18:00 Europe/Berlin", "2026-07-01T06:59:59Z", "2026-07-01T07:00:00Z"},
		{"after", "mon-fri 09:00-18:00 Europe/Berlin", "2026-07-01T16:00:00Z", "2026-07-02T07:00:00Z"},
		{"over the week-end", "mon-fri 09:00-18:00 Europe/Berlin", "2026-07-03T16:00:00Z", "2026-07-06T07:00:00Z"},
		{"the day there", "fri 00:00-24:00 Pacific/Auckland", "2026-07-02T12:00:00Z", ""},
		{"over midnight", "fri 22:00-02:00 UTC", "2026-07-04T01:00:00Z", ""},
		{"over midnight, another night", "fri 22:00-02:00 UTC", "2026-07-03T01:00:00Z", "2026-07-03T22:00:00Z"},
		{"once a week, just over", "wed 09:00-10:00 UTC", "2026-07-01T10:00:00Z", "2026-07-08T09:00:00Z"},
		// Berlin, 2026: summer time begins on March 29 at 02:00, and ends on October 25 at 03:00.
		{"over the week-end that is short", "mon-fri 09:00-18:00 Europe/Berlin", "2026-03-27T17:00:00Z", "2026-03-30T07:00:00Z"},
		{"over the week-end that is long", "mon-fri 09:00-18:00 Europe/Berlin", "2026-10-23T16:00:00Z", "2026-10-26T08:00:00Z"},
		{"on the short day", "sun 09:00-18:00 Europe/Berlin", "2026-03-29T06:59:59Z", "2026-03-29T07:00:00Z"},
		{"on the long day", "sun 09:00-18:00 Europe/Berlin", "2026-10-25T07:59:59Z", "2026-10-25T08:00:00Z"},
		{"the whole short day", "sun 00:00-24:00 Europe/Berlin", "2026-03-29T21:59:59Z", ""},
		{"is over after 23 hours", "sun 00:00-24:00 Europe/Berlin", "2026-03-29T22:00:00Z", "2026-04-04T22:00:00Z"},
		{"the whole long day", "sun 00:00-24:00 Europe/Berlin", "2026-10-25T22:59:59Z", ""},
		{"an hour that does not exist", "sun 02:15-02:45 Europe/Berlin", "2026-03-29T00:00:00Z", "2026-03-29T01:15:00Z"},
		{"a zone that does not exist", "sun 09:00-18:00 Mars/Olympus", "2026-07-01T12:00:00Z", "2026-07-01T13:00:00Z"},
	} {
		now, err := time.Parse(time.RFC3339, c.now)
		if err != nil {
			t.Fatal(err)
		}
		to := turn("a.example")
		to.Settings.Window = c.window
		p := pacing.New(pacing.Options{})
		n, next := p.Open(to, now)
		if by, until := p.Held(to.Campaign, now); (by == "window") != (c.again != "") || n == 0 && !until.Equal(next) {
			t.Errorf("%s: held by %q until %v", c.name, by, until)
		}
		again, ok := p.Admit(to, now)
		if ok != (c.again == "") || ok != (n > 0) || !again.Equal(next) {
			t.Errorf("%s: open for %d, admitted %v, again %v and %v", c.name, n, ok, next, again)
		} else if !ok && again.UTC().Format(time.RFC3339) != c.again {
			t.Errorf("%s: again at %v, want %s", c.name, again.UTC().Format(time.RFC3339), c.again)
		}
	}
}

// A window holds for as long as the process lives, day after day, and another
// campaign's is another.
func TestWindowGoesOn(t *testing.T) {
	p := pacing.New(pacing.Options{})
	to := turn("a.example")
	to.Settings.Window = "mon-sun 09:00-10:00 UTC"
	open := 0
	for now := noon; now.Before(noon.AddDate(0, 0, 7)); now = now.Add(time.Minute) {
		if n, _ := p.Open(to, now); n > 0 {
			open++
		}
	}
	if open != 7*60 {
		t.Errorf("open for %d minutes of a week, want %d", open, 7*60)
	}
	other := turn("a.example")
	other.Campaign[0]++
	if _, ok := p.Admit(other, noon); !ok {
		t.Error("another campaign has to wait")
	}
}
