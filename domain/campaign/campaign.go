// Package campaign is one mailing: drafted, scheduled, sent.
package campaign

import (
	"slices"
	"time"

	"github.com/cleversender/cleversender/domain"
)

// ID names a campaign.
type ID = domain.ID

// Stream is where the campaign's events live.
func Stream(id ID) string { return "campaign-" + id.String() }

// A Status is where a campaign stands. Names are API.
type Status string

const (
	None      Status = ""
	Draft     Status = "draft"
	Waiting   Status = "scheduled"
	Sending   Status = "sending"
	Held      Status = "paused"
	Done      Status = "finished"
	CalledOff Status = "cancelled"
)

// Campaign is what decisions about a campaign need to know.
type Campaign struct {
	Status   Status
	Settings Settings
	First    Settings // as drafted: the same draft, sent again, is no news
	StartAt  time.Time
	Forced   []string // with Scheduled: what is not to hold the start back
	Throttle int      // messages an hour; 0: as many as there are
	Started  bool
	Content  Content // once started
	Frozen   bool
	Audience AudienceFrozen // once frozen
	Result   Finished       // once finished
	Resends  int            // how often the unknown were to be sent to again
}

// Evolve replays one event.
func (c Campaign) Evolve(e Event) Campaign {
	switch e := e.(type) {
	case Drafted:
		c.Status, c.Settings, c.First = Draft, e.Settings, e.Settings
	case Edited:
		c.Settings = e.Settings
	case Scheduled:
		c.Status, c.StartAt, c.Forced = Waiting, e.StartAt, e.Forced
	case Unscheduled:
		c.Status, c.StartAt, c.Forced = Draft, time.Time{}, nil
	case Started:
		c.Status, c.Started, c.Content = Sending, true, e.Content
	case AudienceFrozen:
		c.Frozen, c.Audience = true, e
	case Paused:
		c.Status = Held
	case Resumed:
		c.Status = Sending
	case Throttled:
		c.Throttle = e.PerHour
	case Cancelled:
		c.Status = CalledOff
	case Finished:
		c.Status, c.Result = Done, e
	case ResendRequested:
		c.Status = Sending
		c.Resends++
	}
	return c
}

// Over reports that nothing more can happen to the campaign.
func (c Campaign) Over() bool { return c.Status == Done || c.Status == CalledOff }

// Equal reports that both would send the same to the same.
func (s Settings) Equal(o Settings) bool {
	return s.Name == o.Name && slices.Equal(s.Lists, o.Lists) && s.Template == o.Template &&
		s.FromName == o.FromName && s.FromEmail == o.FromEmail && s.ReplyTo == o.ReplyTo && s.Tracking == o.Tracking &&
		s.Server == o.Server && s.Window == o.Window
}

// Equal reports that both are the same content.
func (c Content) Equal(o Content) bool {
	return c.TemplateRevision == o.TemplateRevision && c.SHA256 == o.SHA256 && slices.Equal(c.Links, o.Links)
}
