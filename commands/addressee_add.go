package commands

import (
	"github.com/cleversender/cleversender/domain"
	"github.com/cleversender/cleversender/domain/personal"
	"github.com/cleversender/cleversender/domain/subscriber"
)

// AddAddressee makes the account hold the address that a message goes to, so
// that its owner is found by requests. Of who is held already it says nothing.
type AddAddressee struct {
	Person subscriber.ID
	Email  personal.Text
}

// Stream implements Command.
func (c AddAddressee) Stream() string { return subscriber.Stream(c.Person) }

// About implements Personal.
func (c AddAddressee) About() domain.ID { return c.Person }

// Decide implements Command.
func (c AddAddressee) Decide(is subscriber.Subscriber) ([]subscriber.Event, error) {
	switch {
	case is.Erased:
		return nil, ErrErased
	case is.Exists:
		return nil, nil
	}
	if err := profile(c.Email, personal.Text{}, personal.Fields{}); err != nil {
		return nil, err
	}
	return []subscriber.Event{subscriber.Added{Email: c.Email, Source: subscriber.SourceMessage}}, nil
}
