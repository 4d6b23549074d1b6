package campaign_test

import (
	"testing"
	"time"

	"github.com/cleversender/cleversender/domain"
	. "github.com/cleversender/cleversender/domain/campaign"
)

// A campaign stands where its last event left it.
func TestStatus(t *testing.T) {
	var now Campaign
	at := time.Date(2030, 5, 1, 20, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		event   Event
		status  Status
		startAt time.Time
		over    bool
	}{
		{Drafted{Settings{Name: "May"}}, Draft, time.Time{}, false},
		{Edited{Settings{Name: "June"}}, Draft, time.Time{}, false},
		{Scheduled{StartAt: at}, Waiting, at, false},
		{Unscheduled{}, Draft, time.Time{}, false},
		{Scheduled{StartAt: at}, Waiting, at, false},
		{Throttled{60}, Waiting, at, false},
		{Started{}, Sending, at, false},
		{AudienceFrozen{Recipients: 1}, Sending, at, false},
		{Paused{}, Held, at, false},
		{Resumed{}, Sending, at, false},
		{Finished{Sent: 1}, Done, at, true},
	} {
		now = now.Evolve(c.event)
		if now.Status != c.status || !now.StartAt.Equal(c.startAt) || now.Over() != c.over {
			t.Errorf("after %T: %+v", c.event, now)
		}
	}
	if now.Settings.Name != "June" || now.First.Name != "May" || !now.Started || !now.Frozen || now.Audience.Recipients != 1 || now.Result.Sent != 1 {
		t.Errorf("in the end: %+v", now)
	}
	if now.Throttle != 60 {
		t.Errorf("%d messages an hour, want 60", now.Throttle)
	}
	if off := (Campaign{}).Evolve(Cancelled{}); off.Status != CalledOff || !off.Over() {
		t.Errorf("cancelled: %+v", off)
	}
}

// Two settings are the same when all of them are.
func TestSettingsEqual(t *testing.T) {
	same := func() Settings {
		return Settings{"May", []domain.ID{{1}}, domain.ID{2}, "ACME", "a@b", "c@d", Tracking{true, true}, "relay", "sun 09:00-10:00 UTC"}
	}
	for i, change := range []func(*Settings){
		func(s *Settings) { s.Name = "" }, func(s *Settings) { s.Lists = nil }, func(s *Settings) { s.Template = domain.ID{} },
		func(s *Settings) { s.FromName = "" }, func(s *Settings) { s.FromEmail = "" }, func(s *Settings) { s.ReplyTo = "" },
		func(s *Settings) { s.Tracking.Opens = false }, func(s *Settings) { s.Tracking.Clicks = false },
		func(s *Settings) { s.Server = "" }, func(s *Settings) { s.Window = "" },
	} {
		other := same()
		if !other.Equal(same()) {
			t.Error("differs from itself")
		}
		if change(&other); other.Equal(same()) {
			t.Errorf("change %d goes unseen", i)
		}
	}
	content := Content{2, "x", []string{"a"}}
	for i, other := range []Content{{3, "x", []string{"a"}}, {2, "y", []string{"a"}}, {2, "x", []string{"b"}}} {
		if content.Equal(other) || !content.Equal(content) {
			t.Errorf("content %d goes unseen", i)
		}
	}
}
