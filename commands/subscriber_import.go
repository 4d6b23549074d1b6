package commands

import (
	"slices"
	"time"

	"github.com/cleversender/cleversender/domain"
	"github.com/cleversender/cleversender/domain/consent"
	"github.com/cleversender/cleversender/domain/personal"
	"github.com/cleversender/cleversender/domain/subscriber"
)

// ImportSubscriber takes one row of a file: it adds the person or completes
// what is held, puts them on the list, and notes which consents the account
// asserts. It never raises a consent that was revoked, never replaces what the
// person said, and never brings back who was erased. It ends no hold: of who is
// restricted it changes nothing, and of who objected it asserts nothing.
type ImportSubscriber struct {
	Person     subscriber.ID
	Email      personal.Text
	Name       personal.Text
	Attributes personal.Fields
	List       domain.ID         // zero: none
	Purposes   []consent.Purpose // what the account asserts; not to be changed afterwards
	Import     domain.ID
	Row        int       // line of the file, from 1
	ClaimedAt  time.Time // when the account says consent was given; zero when it does not say
}

// Stream implements Command.
func (c ImportSubscriber) Stream() string { return subscriber.Stream(c.Person) }

// About implements Personal.
func (c ImportSubscriber) About() domain.ID { return c.Person }

// Decide implements Command. It runs once a row: a person not held yet costs
// the events and their slice, and nothing else.
func (c ImportSubscriber) Decide(is subscriber.Subscriber) ([]subscriber.Event, error) {
	if is.Erased {
		return nil, ErrErased
	}
	if err := c.check(); err != nil {
		return nil, err
	}
	if is.Standing.Has(subscriber.Restriction) {
		return nil, nil
	}
	events := make([]subscriber.Event, 0, 3)
	if !is.Exists {
		events = append(events, subscriber.Added{
			Email: c.Email, Name: c.Name, Attributes: c.Attributes,
			Source: subscriber.SourceImport, Import: c.Import, Row: c.Row,
		})
	} else if now := c.completed(is.Profile); !now.Equal(is.Profile) {
		if err := profile(now.Email, now.Name, now.Attributes); err != nil {
			return nil, err
		}
		events = append(events, subscriber.Rectified{
			Email: now.Email, Name: now.Name, Attributes: now.Attributes, Source: subscriber.SourceImport,
		})
	}
	if !c.List.IsZero() && !is.On(c.List) {
		events = append(events, subscriber.Joined{List: c.List})
	}
	if news := c.unanswered(is); len(news) > 0 {
		events = append(events, consent.Asserted{
			Purposes: news, List: c.List, Import: c.Import, Row: c.Row, ClaimedAt: c.ClaimedAt,
		})
	}
	return events, nil
}

func (c ImportSubscriber) check() error {
	for i, p := range c.Purposes {
		switch {
		case !p.Known() || slices.Contains(c.Purposes[:i], p):
			return ErrPurpose
		case p.PerList() && c.List.IsZero():
			return ErrListNeeded
		}
	}
	switch {
	case c.Row < 0:
		return ErrBadNumber
	case !storable(c.ClaimedAt):
		return ErrBadTime
	}
	return profile(c.Email, c.Name, c.Attributes)
}

// completed is what is held with what the row says on top. An empty cell says
// nothing; the spelling of an address held already stays.
func (c ImportSubscriber) completed(held subscriber.Profile) subscriber.Profile {
	if !c.Name.IsEmpty() {
		held.Name = c.Name
	}
	if held.Attributes.Equal(c.Attributes) {
		return held
	}
	all, _ := held.Attributes.Reveal()
	if all == nil {
		all = map[string]string{}
	}
	c.Attributes.RevealEach(func(name, value string) bool {
		if value != "" {
			all[name] = value
		}
		return true
	})
	held.Attributes = personal.FieldsOf(all)
	return held
}

// unanswered is the purposes that neither the person nor the account has
// spoken about; the others are left as they are.
func (c ImportSubscriber) unanswered(is subscriber.Subscriber) []consent.Purpose {
	objects := is.Standing.Has(subscriber.Objection)
	if len(is.Consents) == 0 && !objects {
		return c.Purposes
	}
	var news []consent.Purpose
	for _, p := range c.Purposes {
		if is.Consent(p, c.List).Unanswered() && !(objects && subscriber.IsMarketing(p)) {
			news = append(news, p)
		}
	}
	return news
}

// storable reports that a time has a stored form (RFC 3339: four-digit years).
func storable(t time.Time) bool { return t.Year() >= 0 && t.Year() <= 9999 }
