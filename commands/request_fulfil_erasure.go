package commands

import (
	"github.com/cleversender/cleversender/domain"
	"github.com/cleversender/cleversender/domain/privacyrequest"
)

// ErrNoRedaction: an erasure is fulfilled by a subscriber.erased event.
var ErrNoRedaction = domain.Refuse("redaction_required", "name the event that redacted the person")

// FulfilErasure notes that the person's keys and rows are gone (GDPR Art. 17).
type FulfilErasure struct {
	Request    privacyrequest.ID
	Person     domain.ID
	Redaction  domain.ID // the subscriber.erased event
	Keys       int       // destroyed
	Events     int       // that can no longer be read
	Suppressed bool      // a keyed hash keeps the address from coming back
}

// Stream implements Command.
func (c FulfilErasure) Stream() string { return privacyrequest.Stream(c.Request) }

// About implements Personal.
func (c FulfilErasure) About() domain.ID { return c.Person }

// Decide implements Command. The first fulfilment stands: a worker that begins
// again after a crash finds fewer keys to destroy.
func (c FulfilErasure) Decide(is privacyrequest.Request) ([]privacyrequest.Event, error) {
	switch {
	case is.Kind == "":
		return nil, ErrNotFound
	case is.Kind != privacyrequest.Erasure:
		return nil, ErrWrongKind
	case is.Fulfilled:
		return nil, nil
	case c.Redaction.IsZero():
		return nil, ErrNoRedaction
	case c.Keys < 0 || c.Events < 0:
		return nil, ErrBadNumber
	}
	return []privacyrequest.Event{privacyrequest.ErasureFulfilled{
		Redaction: c.Redaction, Keys: c.Keys, Events: c.Events, Suppressed: c.Suppressed,
	}}, nil
}
