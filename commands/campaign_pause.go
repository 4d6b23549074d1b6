package commands

import "github.com/cleversender/cleversender/domain/campaign"

// PauseCampaign holds a campaign: no further message leaves until it is resumed.
type PauseCampaign struct {
	Campaign campaign.ID
	Reason   string
}

// Stream implements Command.
func (c PauseCampaign) Stream() string { return campaign.Stream(c.Campaign) }

// Decide implements Command. A second reason adds nothing to the first.
func (c PauseCampaign) Decide(is campaign.Campaign) ([]campaign.Event, error) {
	switch {
	case is.Status == campaign.None:
		return nil, ErrNotFound
	case is.Status == campaign.Held:
		return nil, nil
	}
	if err := sending(is); err != nil {
		return nil, err
	}
	if err := oneLine("reason", c.Reason, maxNote); err != nil {
		return nil, err
	}
	return []campaign.Event{campaign.Paused{Reason: c.Reason}}, nil
}

// sending refuses a campaign that is not on its way.
func sending(is campaign.Campaign) error {
	switch {
	case is.Over():
		return ErrOver
	case !is.Started:
		return ErrNotStarted
	}
	return nil
}
