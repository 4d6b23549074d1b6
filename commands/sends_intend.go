package commands

import (
	"github.com/cleversender/cleversender/domain"
	"github.com/cleversender/cleversender/domain/delivery"
)

// IntendSends says whose messages are about to leave. Only who is intended may
// be sent to, and nobody is while somebody else's intent is without a result.
type IntendSends struct {
	Campaign domain.ID
	Segment  int
	Worker   domain.ID
	Sends    []delivery.Intended
}

// Stream implements Command.
func (c IntendSends) Stream() string { return delivery.Stream(c.Campaign, c.Segment) }

// Decide implements Command: all of them, or none.
func (c IntendSends) Decide(s delivery.Segment) ([]delivery.Event, error) {
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
		case at.Settled():
			return nil, delivery.ErrSettled
		case at == delivery.Pending:
			continue
		}
		draft.Apply(e)
		events = append(events, e)
	}
	return events, nil
}

// held refuses unless the segment is the campaign's and the worker's.
func held(s delivery.Segment, campaign, worker domain.ID) error {
	switch {
	case !s.IsPlanned():
		return delivery.ErrNotPlanned
	case s.Campaign != campaign:
		return delivery.ErrOtherMailing
	case s.Worker != worker || worker.IsZero():
		return delivery.ErrNotHeld
	}
	return nil
}
