package commands

import "github.com/cleversender/cleversender/domain/campaign"

// ResumeCampaign lets a paused campaign go on.
type ResumeCampaign struct{ Campaign campaign.ID }

// Stream implements Command.
func (c ResumeCampaign) Stream() string { return campaign.Stream(c.Campaign) }

// Decide implements Command.
func (c ResumeCampaign) Decide(is campaign.Campaign) ([]campaign.Event, error) {
	switch is.Status {
	case campaign.None:
		return nil, ErrNotFound
	case campaign.Sending:
		return nil, nil
	}
	if err := sending(is); err != nil {
		return nil, err
	}
	return []campaign.Event{campaign.Resumed{}}, nil
}
