package commands

import (
	"github.com/cleversender/cleversender/domain"
	"github.com/cleversender/cleversender/domain/privacyrequest"
)

// ErrNoHold: a restriction or an objection is fulfilled by an event of the person's stream.
var ErrNoHold = domain.Refuse("hold_required", "name the event from which the restriction or the objection holds")

// FulfilHold notes that a person's data is not used any more, as they asked:
// for nothing (GDPR Art. 18), or not for direct marketing (Art. 21(3)).
type FulfilHold struct {
	Request privacyrequest.ID
	Person  domain.ID
	Hold    domain.ID // the event of the person's stream from which it holds
}

// Stream implements Command.
func (c FulfilHold) Stream() string { return privacyrequest.Stream(c.Request) }

// About implements Personal.
func (c FulfilHold) About() domain.ID { return c.Person }

// Decide implements Command.
func (c FulfilHold) Decide(is privacyrequest.Request) ([]privacyrequest.Event, error) {
	switch {
	case is.Kind == "":
		return nil, ErrNotFound
	case is.Kind != privacyrequest.Restriction && is.Kind != privacyrequest.Objection:
		return nil, ErrWrongKind
	case is.Fulfilled:
		return nil, nil
	case c.Hold.IsZero():
		return nil, ErrNoHold
	case is.Kind == privacyrequest.Restriction:
		return []privacyrequest.Event{privacyrequest.RestrictionFulfilled{Hold: c.Hold}}, nil
	default:
		return []privacyrequest.Event{privacyrequest.ObjectionFulfilled{Hold: c.Hold}}, nil
	}
}
