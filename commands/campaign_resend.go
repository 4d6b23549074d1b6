package commands

import (
	"github.com/cleversender/cleversender/domain"
	"github.com/cleversender/cleversender/domain/campaign"
)

var (
	ErrNotFinished = domain.Refuse("campaign_not_finished", "the campaign has not finished; what is unknown is settled at its end")
	ErrNoUnknown   = domain.Refuse("no_unknown_sends", "the campaign has no message of which it is unknown whether it was sent")
)

// ResendUnknown gives everybody of whom it is unknown whether they were sent to
// their turn again, with the same Message-ID: a mailbox that has the message
// may show it twice, or once.
type ResendUnknown struct{ Campaign campaign.ID }

// Stream implements Command.
func (c ResendUnknown) Stream() string { return campaign.Stream(c.Campaign) }

// Decide implements Command. While the campaign is being sent anew, there is
// nothing to add.
func (c ResendUnknown) Decide(is campaign.Campaign) ([]campaign.Event, error) {
	switch {
	case is.Status == campaign.None:
		return nil, ErrNotFound
	case is.Resends > 0 && is.Status == campaign.Sending:
		return nil, nil
	case is.Status != campaign.Done:
		return nil, ErrNotFinished
	case is.Result.Unknown == 0:
		return nil, ErrNoUnknown
	}
	return []campaign.Event{campaign.ResendRequested{}}, nil
}
