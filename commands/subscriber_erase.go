package commands

import (
	"github.com/cleversender/cleversender/domain"
	"github.com/cleversender/cleversender/domain/subscriber"
)

// ErrNoRequest: an erasure answers a request.
var ErrNoRequest = domain.Refuse("request_required", "name the privacy request that asks for the erasure")

// EraseSubscriber redacts a person: the last event that is ever recorded in
// their stream. The keys are destroyed after it, never before.
type EraseSubscriber struct {
	Person  subscriber.ID
	Request domain.ID // the privacy request that asks for it
}

// Stream implements Command.
func (c EraseSubscriber) Stream() string { return subscriber.Stream(c.Person) }

// About implements Personal.
func (c EraseSubscriber) About() domain.ID { return c.Person }

// Decide implements Command.
func (c EraseSubscriber) Decide(is subscriber.Subscriber) ([]subscriber.Event, error) {
	switch {
	case is.Erased:
		return nil, nil
	case !is.Exists:
		return nil, ErrNotFound
	case c.Request.IsZero():
		return nil, ErrNoRequest
	}
	return []subscriber.Event{subscriber.Erased{Request: c.Request}}, nil
}
