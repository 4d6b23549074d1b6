package commands

import (
	"github.com/cleversender/cleversender/domain"
	"github.com/cleversender/cleversender/domain/personal"
	"github.com/cleversender/cleversender/domain/subscriber"
)

// RestrictSubscriber keeps a person's data and stops its use (GDPR Art. 18).
type RestrictSubscriber struct {
	Person  subscriber.ID
	Request domain.ID     // the privacy request that asks for it; zero: none
	Note    personal.Text // may be empty
}

// Stream implements Command.
func (c RestrictSubscriber) Stream() string { return subscriber.Stream(c.Person) }

// About implements Personal.
func (c RestrictSubscriber) About() domain.ID { return c.Person }

// Decide implements Command.
func (c RestrictSubscriber) Decide(is subscriber.Subscriber) ([]subscriber.Event, error) {
	if err := living(is); err != nil {
		return nil, err
	}
	if is.Standing.Has(subscriber.Restriction) {
		return nil, nil
	}
	if err := note(c.Note); err != nil {
		return nil, err
	}
	return []subscriber.Event{subscriber.Restricted{Request: c.Request, Note: c.Note}}, nil
}
