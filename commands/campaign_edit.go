package commands

import (
	"github.com/cleversender/cleversender/domain"
	"github.com/cleversender/cleversender/domain/campaign"
)

// ErrNotDraft: what is scheduled or sent stays as it is.
var ErrNotDraft = domain.Refuse("campaign_not_draft", "only a draft can be changed; unschedule the campaign first")

// EditCampaign replaces a draft's settings.
type EditCampaign struct {
	Campaign campaign.ID
	Settings campaign.Settings
}

// Stream implements Command.
func (c EditCampaign) Stream() string { return campaign.Stream(c.Campaign) }

// Decide implements Command.
func (c EditCampaign) Decide(is campaign.Campaign) ([]campaign.Event, error) {
	switch {
	case is.Status == campaign.None:
		return nil, ErrNotFound
	case c.Settings.Equal(is.Settings):
		return nil, nil
	case is.Status != campaign.Draft:
		return nil, ErrNotDraft
	}
	if err := checkSettings(c.Settings); err != nil {
		return nil, err
	}
	return []campaign.Event{campaign.Edited{Settings: c.Settings}}, nil
}
