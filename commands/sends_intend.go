package commands

import (
	"github.com/cleversender/cleversender/domain"
	"github.com/cleversender/cleversender/domain/delivery"
	"github.com/cleversender/cleversender/domain/event"
)

// IntendSends says whose messages are about to leave. Only who is intended may
// be sent to, and nobody is while somebody else's intent is without a result.
type IntendSends struct {
	Campaign domain.ID
	Segment  int
	Worker   domain.ID
	Sends    []IntendedSend
}

// IntendedSend is one of them, and the position of the consent that allows it.
type IntendedSend struct {
	delivery.Recipient
	Consent event.Position
}

// Stream implements Command.
func (c IntendSends) Stream() string { return delivery.Stream(c.Campaign, c.Segment) }

// Decide implements Command: all of them in one event, or none.
func (c IntendSends) Decide(s delivery.Segment) ([]delivery.Event, error) {
	if err := held(s, c.Campaign, c.Worker); err != nil {
		return nil, err
	}
	draft, n := s.Draft(), len(c.Sends)
	e := delivery.Intended{
		Campaign: c.Campaign,
		Subjects: make(delivery.Subjects, 0, n), Ordinals: make([]int, 0, n), Consents: make([]event.Position, 0, n),
	}
	for _, send := range c.Sends {
		at, ok := draft.Of(send.Ordinal, send.Person)
		switch {
		case !ok:
			return nil, delivery.ErrNoRecipient
		case at.Settled():
			return nil, delivery.ErrSettled
		case at == delivery.Pending:
			continue
		}
		draft.Move(delivery.Pending, send.Ordinal)
		e.Subjects, e.Ordinals = append(e.Subjects, send.Person), append(e.Ordinals, send.Ordinal)
		e.Consents = append(e.Consents, send.Consent)
	}
	if len(e.Subjects) == 0 {
		return nil, nil
	}
	return []delivery.Event{e}, nil
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
