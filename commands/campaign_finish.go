package commands

import (
	"github.com/cleversender/cleversender/domain"
	"github.com/cleversender/cleversender/domain/campaign"
)

var (
	ErrNotFrozen = domain.Refuse("audience_not_frozen", "the recipients are not settled yet")
	ErrBadSum    = domain.Refuse("recipients_unaccounted", "sent, withheld, failed and unknown do not add up to the recipients")
)

// FinishCampaign ends a campaign in which every recipient is accounted for.
type FinishCampaign struct {
	Campaign campaign.ID
	Sent     int
	Withheld int
	Failed   int
	Unknown  int
}

// Stream implements Command.
func (c FinishCampaign) Stream() string { return campaign.Stream(c.Campaign) }

// Decide implements Command. A paused campaign finishes too: what was on its
// way when it was paused may have been the last.
func (c FinishCampaign) Decide(is campaign.Campaign) ([]campaign.Event, error) {
	result := campaign.Finished{Sent: c.Sent, Withheld: c.Withheld, Failed: c.Failed, Unknown: c.Unknown}
	switch {
	case is.Status == campaign.None:
		return nil, ErrNotFound
	case is.Status == campaign.Done && result == is.Result:
		return nil, nil
	}
	if err := sending(is); err != nil {
		return nil, err
	}
	switch {
	case !is.Frozen:
		return nil, ErrNotFrozen
	case min(c.Sent, c.Withheld, c.Failed, c.Unknown) < 0 ||
		c.Sent+c.Withheld+c.Failed+c.Unknown != is.Audience.Recipients:
		return nil, ErrBadSum
	}
	return []campaign.Event{result}, nil
}
