package commands

import (
	"slices"

	"github.com/cleversender/cleversender/domain"
	"github.com/cleversender/cleversender/domain/delivery"
)

// PlanSegment fixes who the recipients of a segment are.
type PlanSegment struct {
	Campaign domain.ID
	Segment  int
	First    int // ordinal of the first
	Subjects delivery.Subjects
}

// Stream implements Command.
func (c PlanSegment) Stream() string { return delivery.Stream(c.Campaign, c.Segment) }

// Decide implements Command.
func (c PlanSegment) Decide(s delivery.Segment) ([]delivery.Event, error) {
	switch {
	case len(c.Subjects) == 0:
		return nil, delivery.ErrEmpty
	case len(c.Subjects) > delivery.MaxRecipients:
		return nil, delivery.ErrTooMany
	case !s.IsPlanned():
		return []delivery.Event{delivery.Planned{Campaign: c.Campaign, First: c.First, Subjects: c.Subjects}}, nil
	case s.Campaign != c.Campaign || s.First != c.First || !slices.Equal(s.Subjects, c.Subjects):
		return nil, delivery.ErrPlanned
	}
	return nil, nil
}
