package commands

import (
	"github.com/cleversender/cleversender/domain"
	"github.com/cleversender/cleversender/domain/campaign"
)

// ErrBadThrottle: no campaign can be sent so slowly, or so fast.
var ErrBadThrottle = domain.Refuse("bad_throttle", "a campaign is sent at up to 1,000,000,000 messages an hour; 0 is no limit")

const maxThrottle = 1_000_000_000

// ThrottleCampaign limits how many messages of a campaign leave in an hour; it
// holds from the next one on. 0: as many as there are.
type ThrottleCampaign struct {
	Campaign campaign.ID
	PerHour  int
}

// Stream implements Command.
func (c ThrottleCampaign) Stream() string { return campaign.Stream(c.Campaign) }

// Decide implements Command.
func (c ThrottleCampaign) Decide(is campaign.Campaign) ([]campaign.Event, error) {
	switch {
	case is.Status == campaign.None:
		return nil, ErrNotFound
	case is.Throttle == c.PerHour:
		return nil, nil
	case is.Over():
		return nil, ErrOver
	case c.PerHour < 0 || c.PerHour > maxThrottle:
		return nil, ErrBadThrottle
	}
	return []campaign.Event{campaign.Throttled{PerHour: c.PerHour}}, nil
}
