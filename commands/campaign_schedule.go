package commands

import (
	"slices"
	"time"

	"github.com/cleversender/cleversender/domain"
	"github.com/cleversender/cleversender/domain/campaign"
)

var (
	ErrStartInPast     = domain.Refuse("start_in_past", "the start must lie in the future")
	ErrStartTooFar     = domain.Refuse("start_too_far", "the start lies more than five years ahead")
	ErrNoRecipientList = domain.Refuse("no_recipient_list", "pick at least one list")
	ErrNoTemplate      = domain.Refuse("no_template", "pick a template")
	ErrNoSender        = domain.Refuse("no_sender", "set the address that the campaign is from")
)

const maxAhead = 5 * 366 * 24 * time.Hour

// ScheduleCampaign sets when a draft goes out. Another time: unschedule first.
type ScheduleCampaign struct {
	Campaign campaign.ID
	StartAt  time.Time
	Now      time.Time
	Blocked  []string // as in StartCampaign
	Force    []string // kept: they hold at the start, too
}

// Stream implements Command.
func (c ScheduleCampaign) Stream() string { return campaign.Stream(c.Campaign) }

// Decide implements Command.
func (c ScheduleCampaign) Decide(is campaign.Campaign) ([]campaign.Event, error) {
	switch {
	case is.Status == campaign.None:
		return nil, ErrNotFound
	case is.Status == campaign.Waiting && is.StartAt.Equal(c.StartAt) && slices.Equal(is.Forced, codes(c.Force)):
		return nil, nil
	case is.Status != campaign.Draft:
		return nil, ErrNotDraft
	case !c.StartAt.After(c.Now):
		return nil, ErrStartInPast
	case c.StartAt.Sub(c.Now) > maxAhead:
		return nil, ErrStartTooFar
	}
	if err := Ready(is.Settings); err != nil {
		return nil, err
	}
	if _, err := overridden(c.Blocked, c.Force); err != nil {
		return nil, err
	}
	return []campaign.Event{campaign.Scheduled{StartAt: c.StartAt.UTC(), Forced: codes(c.Force)}}, nil
}

// Ready refuses settings that a campaign cannot start with.
func Ready(s campaign.Settings) error {
	switch {
	case len(s.Lists) == 0:
		return ErrNoRecipientList
	case s.Template.IsZero():
		return ErrNoTemplate
	case s.FromEmail == "":
		return ErrNoSender
	}
	return nil
}
