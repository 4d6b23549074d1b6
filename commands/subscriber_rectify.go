package commands

import (
	"github.com/cleversender/cleversender/domain"
	"github.com/cleversender/cleversender/domain/personal"
	"github.com/cleversender/cleversender/domain/subscriber"
)

// RectifySubscriber replaces the data held about a person, whole (GDPR Art. 16).
type RectifySubscriber struct {
	Person     subscriber.ID
	Email      personal.Text
	Name       personal.Text
	Attributes personal.Fields
	Source     subscriber.Source
}

// Stream implements Command.
func (c RectifySubscriber) Stream() string { return subscriber.Stream(c.Person) }

// About implements Personal.
func (c RectifySubscriber) About() domain.ID { return c.Person }

// Decide implements Command.
func (c RectifySubscriber) Decide(is subscriber.Subscriber) ([]subscriber.Event, error) {
	if err := living(is); err != nil {
		return nil, err
	}
	now := subscriber.Profile{Email: c.Email, Name: c.Name, Attributes: c.Attributes}
	switch {
	case now.Equal(is.Profile):
		return nil, nil
	case !c.Source.Known():
		return nil, ErrSource
	}
	if err := profile(c.Email, c.Name, c.Attributes); err != nil {
		return nil, err
	}
	return []subscriber.Event{subscriber.Rectified{
		Email: c.Email, Name: c.Name, Attributes: c.Attributes, Source: c.Source,
	}}, nil
}
