package commands

import (
	"github.com/cleversender/cleversender/domain"
	"github.com/cleversender/cleversender/domain/personal"
	"github.com/cleversender/cleversender/domain/subscriber"
)

// UnsuppressSubscriber says that the reason why somebody is suppressed is
// settled, and how the account knows.
type UnsuppressSubscriber struct {
	Person subscriber.ID
	Reason subscriber.Hold // "": every one there is
	Note   personal.Text   // must be there
}

// Stream implements Command.
func (c UnsuppressSubscriber) Stream() string { return subscriber.Stream(c.Person) }

// About implements Personal.
func (c UnsuppressSubscriber) About() domain.ID { return c.Person }

// Decide implements Command.
func (c UnsuppressSubscriber) Decide(is subscriber.Subscriber) ([]subscriber.Event, error) {
	if err := living(is); err != nil {
		return nil, err
	}
	if c.Reason != "" && !c.Reason.Suppresses() {
		return nil, ErrReason
	}
	var settled []subscriber.Event
	for _, h := range is.Standing {
		if h == c.Reason || c.Reason == "" && h.Suppresses() {
			settled = append(settled, subscriber.Unsuppressed{Reason: h, Note: c.Note})
		}
	}
	if len(settled) == 0 {
		return nil, nil
	}
	if err := someNote(c.Note); err != nil {
		return nil, err
	}
	return settled, nil
}
