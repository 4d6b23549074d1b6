package commands

import (
	"github.com/cleversender/cleversender/domain"
	"github.com/cleversender/cleversender/domain/personal"
	"github.com/cleversender/cleversender/domain/subscriber"
)

// AddSubscriber makes the account hold a person's data, and puts them on a
// list. It says nothing about consent.
type AddSubscriber struct {
	Person     subscriber.ID
	Email      personal.Text
	Name       personal.Text
	Attributes personal.Fields
	List       domain.ID // zero: none
	Source     subscriber.Source
}

// Stream implements Command.
func (c AddSubscriber) Stream() string { return subscriber.Stream(c.Person) }

// About implements Personal.
func (c AddSubscriber) About() domain.ID { return c.Person }

// Decide implements Command. A person held already joins the list when the
// data is what it was at first, or what it is now. Of whom nothing is held but an
// address that a message went to, this is the data.
func (c AddSubscriber) Decide(is subscriber.Subscriber) ([]subscriber.Event, error) {
	data := subscriber.Profile{Email: c.Email, Name: c.Name, Attributes: c.Attributes}
	switch {
	case is.Erased:
		return nil, ErrErased
	case is.Exists && (data.Equal(is.Profile) || data.Equal(is.First)):
		return joins(is, c.List), nil
	case is.Exists && !is.Addressee:
		return nil, ErrExists
	case !c.Source.Known():
		return nil, ErrSource
	}
	if err := profile(c.Email, c.Name, c.Attributes); err != nil {
		return nil, err
	}
	if is.Exists {
		known := subscriber.Rectified{Email: c.Email, Name: c.Name, Attributes: c.Attributes, Source: c.Source}
		return append([]subscriber.Event{known}, joins(is, c.List)...), nil
	}
	added := subscriber.Added{Email: c.Email, Name: c.Name, Attributes: c.Attributes, Source: c.Source}
	return append([]subscriber.Event{added}, joins(is, c.List)...), nil
}

// joins puts the person on the list unless they are, or there is no list.
func joins(is subscriber.Subscriber, list domain.ID) []subscriber.Event {
	if list.IsZero() || is.On(list) {
		return nil
	}
	return []subscriber.Event{subscriber.Joined{List: list}}
}

// living refuses what is about nobody, or about somebody who is erased.
func living(is subscriber.Subscriber) error {
	switch {
	case is.Erased:
		return ErrErased
	case !is.Exists:
		return ErrNotFound
	}
	return nil
}
