package commands

import (
	"github.com/cleversender/cleversender/domain"
	"github.com/cleversender/cleversender/domain/delivery"
)

// WithholdSends says who does not get the campaign after all, and why. It
// cancels an intent whose message has not left.
type WithholdSends struct {
	Campaign domain.ID
	Segment  int
	Worker   domain.ID
	Sends    []delivery.Withheld
}

// Stream implements Command.
func (c WithholdSends) Stream() string { return delivery.Stream(c.Campaign, c.Segment) }

// Decide implements Command: all of them, or none.
func (c WithholdSends) Decide(s delivery.Segment) ([]delivery.Event, error) {
	if err := held(s, c.Campaign, c.Worker); err != nil {
		return nil, err
	}
	draft := s.Draft()
	events := make([]delivery.Event, 0, len(c.Sends))
	for _, e := range c.Sends {
		at, ok := draft.Of(e.Ordinal, e.Person)
		switch {
		case !ok || e.Campaign != c.Campaign:
			return nil, delivery.ErrNoRecipient
		case at == delivery.Excluded:
			continue
		case at.Settled():
			return nil, delivery.ErrSettled
		}
		draft.Apply(e)
		events = append(events, e)
	}
	return events, nil
}
