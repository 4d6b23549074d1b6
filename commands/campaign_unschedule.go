package commands

import (
	"github.com/cleversender/cleversender/domain"
	"github.com/cleversender/cleversender/domain/campaign"
)

var (
	ErrStarted = domain.Refuse("campaign_started", "the campaign has started already")
	ErrOver    = domain.Refuse("campaign_over", "the campaign is finished or cancelled")
)

// UnscheduleCampaign calls the start off; the campaign is a draft again.
type UnscheduleCampaign struct {
	Campaign campaign.ID
	Reason   string // why it could not start; "": somebody thought better of it
}

// Stream implements Command.
func (c UnscheduleCampaign) Stream() string { return campaign.Stream(c.Campaign) }

// Decide implements Command.
func (c UnscheduleCampaign) Decide(is campaign.Campaign) ([]campaign.Event, error) {
	switch {
	case is.Status == campaign.None:
		return nil, ErrNotFound
	case is.Status == campaign.Draft:
		return nil, nil
	case is.Over():
		return nil, ErrOver
	case is.Started:
		return nil, ErrStarted
	}
	if err := oneLine("reason", c.Reason, maxNote); err != nil {
		return nil, err
	}
	return []campaign.Event{campaign.Unscheduled{Reason: c.Reason}}, nil
}
