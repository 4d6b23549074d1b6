package commands

import (
	"github.com/cleversender/cleversender/domain"
	"github.com/cleversender/cleversender/domain/campaign"
	"github.com/cleversender/cleversender/domain/event"
)

var (
	ErrNotStarted = domain.Refuse("campaign_not_started", "the campaign has not started")
	ErrFrozen     = domain.Refuse("audience_frozen", "the recipients are settled already, and others")
)

// FreezeAudience settles who the recipients are: these, and nobody else.
type FreezeAudience struct {
	Campaign   campaign.ID
	Position   event.Position // of the log, up to which consent was read
	Recipients int
	Segments   int
	SHA256     string // of the 16-byte subject ids in ordinal order, hex
}

// Stream implements Command.
func (c FreezeAudience) Stream() string { return campaign.Stream(c.Campaign) }

// Decide implements Command.
func (c FreezeAudience) Decide(is campaign.Campaign) ([]campaign.Event, error) {
	frozen := campaign.AudienceFrozen{
		Position: c.Position, Recipients: c.Recipients, Segments: c.Segments, SHA256: c.SHA256,
	}
	switch {
	case is.Status == campaign.None:
		return nil, ErrNotFound
	case is.Frozen && frozen == is.Audience:
		return nil, nil
	case is.Over():
		return nil, ErrOver
	case !is.Started:
		return nil, ErrNotStarted
	case is.Frozen:
		return nil, ErrFrozen
	case c.Recipients < 0 || c.Segments < 0 || c.Segments > c.Recipients || c.Recipients > 0 && c.Segments == 0:
		return nil, ErrBadNumber
	}
	if err := hexDigest(c.SHA256); err != nil {
		return nil, err
	}
	return []campaign.Event{frozen}, nil
}
