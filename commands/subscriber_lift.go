package commands

import (
	"time"

	"github.com/cleversender/cleversender/domain"
	"github.com/cleversender/cleversender/domain/personal"
	"github.com/cleversender/cleversender/domain/subscriber"
)

// ErrNotInformed: a restriction is lifted after the person was told (GDPR Art. 18(3)).
var ErrNotInformed = domain.Refuse("not_informed", "say when the person was informed that the restriction is lifted: it has to be before")

// LiftRestriction lets a person's data be used again.
type LiftRestriction struct {
	Person     subscriber.ID
	InformedAt time.Time
	Note       personal.Text // may be empty
	Now        time.Time
}

// Stream implements Command.
func (c LiftRestriction) Stream() string { return subscriber.Stream(c.Person) }

// About implements Personal.
func (c LiftRestriction) About() domain.ID { return c.Person }

// Decide implements Command.
func (c LiftRestriction) Decide(is subscriber.Subscriber) ([]subscriber.Event, error) {
	if err := living(is); err != nil {
		return nil, err
	}
	switch {
	case !is.Standing.Has(subscriber.Restriction):
		return nil, nil
	case c.InformedAt.IsZero() || c.InformedAt.After(c.Now):
		return nil, ErrNotInformed
	case !storable(c.InformedAt):
		return nil, ErrBadTime
	}
	if err := note(c.Note); err != nil {
		return nil, err
	}
	return []subscriber.Event{subscriber.RestrictionLifted{InformedAt: c.InformedAt.UTC(), Note: c.Note}}, nil
}
