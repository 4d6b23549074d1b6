package pacing

import (
	"time"

	"github.com/cleversender/cleversender/domain/campaign"
)

// calendar is a campaign's window, and the opening at hand.
type calendar struct {
	text        string // as in the settings; "": always
	window      campaign.Window
	zone        *time.Location // nil: not known on this machine, and so never open
	from, until time.Time      // the opening that is, or comes next
}

// ready is when the window is open: now, or later.
func (c *calendar) ready(text string, now time.Time) time.Time {
	if text == "" {
		return now
	}
	if c.text != text {
		*c = calendar{text: text}
		if w, err := campaign.ParseWindow(text); err == nil {
			c.window = w
			c.zone, _ = time.LoadLocation(w.Zone)
		}
	}
	if c.zone == nil {
		return now.Add(time.Hour)
	}
	if now.Before(c.from) || !now.Before(c.until) {
		c.from, c.until = opening(c.window, c.zone, now)
	}
	if now.Before(c.from) {
		return c.from
	}
	return now
}

// opening is the first one that ends after now. Hours are those of the wall
// clock: where a day has 23 or 25 of them, so has the window that spans it.
func opening(w campaign.Window, zone *time.Location, now time.Time) (from, until time.Time) {
	year, month, day := now.In(zone).Date()
	for d := day - 1; ; d++ { // yesterday's may end after midnight
		if !w.Days[time.Date(year, month, d, 12, 0, 0, 0, zone).Weekday()] {
			continue
		}
		last := d
		if w.Until <= w.From {
			last++
		}
		from = time.Date(year, month, d, 0, w.From, 0, 0, zone)
		until = time.Date(year, month, last, 0, w.Until, 0, 0, zone)
		if until.After(now) && until.After(from) {
			return from, until
		}
	}
}
