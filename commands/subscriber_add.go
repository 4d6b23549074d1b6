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
// data is what it was at first, or what it is now.
func (c AddSubscriber) Decide(is subscriber.Subscriber) ([]subscriber.Event, error) {
	data := subscriber.Profile{Email: c.Email, Name: c.Name, Attributes: c.Attributes}
	switch {
	case is.Erased:
		return nil, ErrErased
	case is.Exists && !data.Equal(is.Profile) && !data.Equal(is.First):
		return nil, ErrExists
	case is.Exists:
		return joins(is, c.List), nil
	case !c.Source.Known():
		return nil, ErrSource
	}
	if err := profile(c.Email, c.Name, c.Attributes); err != nil {
		return nil, err
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
