package commands

import (
	"github.com/cleversender/cleversender/domain"
	"github.com/cleversender/cleversender/domain/event"
	"github.com/cleversender/cleversender/domain/privacyrequest"
)

// ErrWrongKind: the request asks for something else.
var ErrWrongKind = domain.Refuse("wrong_kind", "the request asks for something else")

// FulfilAccess notes which bundle answered a request for access (GDPR Art. 15).
type FulfilAccess struct {
	Request  privacyrequest.ID
	Person   domain.ID
	Position event.Position // of the log, up to which the bundle reaches
	Events   int            // that concern the person
	SHA256   string         // of the bundle, hex
}

// Stream implements Command.
func (c FulfilAccess) Stream() string { return privacyrequest.Stream(c.Request) }

// About implements Personal.
func (c FulfilAccess) About() domain.ID { return c.Person }

// Decide implements Command. The first bundle stands: a worker that begins
// again after a crash may have made another.
func (c FulfilAccess) Decide(is privacyrequest.Request) ([]privacyrequest.Event, error) {
	switch {
	case is.Kind == "":
		return nil, ErrNotFound
	case is.Kind != privacyrequest.Access:
		return nil, ErrWrongKind
	case is.Fulfilled:
		return nil, nil
	case c.Events < 0:
		return nil, ErrBadNumber
	}
	if err := hexDigest(c.SHA256); err != nil {
		return nil, err
	}
	return []privacyrequest.Event{privacyrequest.AccessFulfilled{
		Position: c.Position, Events: c.Events, SHA256: c.SHA256,
	}}, nil
}
