package commands

import (
	"github.com/cleversender/cleversender/domain"
	"github.com/cleversender/cleversender/domain/personal"
	"github.com/cleversender/cleversender/domain/subscriber"
)

// ErrReason: there is no such reason to suppress somebody.
var ErrReason = domain.Refuse("unknown_reason", "there is no such reason to suppress somebody")

// SuppressSubscriber keeps mail from a person's address, for a reason.
type SuppressSubscriber struct {
	Person subscriber.ID
	Reason subscriber.Hold // one that Suppresses
	Note   personal.Text   // may be empty
}

// Stream implements Command.
func (c SuppressSubscriber) Stream() string { return subscriber.Stream(c.Person) }

// About implements Personal.
func (c SuppressSubscriber) About() domain.ID { return c.Person }

// Decide implements Command. Each reason is noted once.
func (c SuppressSubscriber) Decide(is subscriber.Subscriber) ([]subscriber.Event, error) {
	if err := living(is); err != nil {
		return nil, err
	}
	switch {
	case !c.Reason.Suppresses():
		return nil, ErrReason
	case is.Standing.Has(c.Reason):
		return nil, nil
	}
	if err := note(c.Note); err != nil {
		return nil, err
	}
	return []subscriber.Event{subscriber.Suppressed{Reason: c.Reason, Note: c.Note}}, nil
}
