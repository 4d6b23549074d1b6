package commands

import "github.com/cleversender/cleversender/domain/campaign"

// CancelCampaign ends a campaign for good: whoever has not been sent to never
// will be. What has left cannot be called back.
type CancelCampaign struct{ Campaign campaign.ID }

// Stream implements Command.
func (c CancelCampaign) Stream() string { return campaign.Stream(c.Campaign) }

// Decide implements Command.
func (c CancelCampaign) Decide(is campaign.Campaign) ([]campaign.Event, error) {
	switch is.Status {
	case campaign.None:
		return nil, ErrNotFound
	case campaign.CalledOff:
		return nil, nil
	case campaign.Done:
		return nil, ErrOver
	}
	return []campaign.Event{campaign.Cancelled{}}, nil
}
