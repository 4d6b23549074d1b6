package commands

import (
	"time"

	"github.com/cleversender/cleversender/domain"
	"github.com/cleversender/cleversender/domain/delivery"
)

// ClaimSegment makes the worker the one who sends to the segment, until Until.
// The holder renews with a later Until, and releases with Until = Now. Each
// claim has a Worker id of its own: a new one says that nothing is known of
// what the one before left without a result.
type ClaimSegment struct {
	Campaign   domain.ID
	Segment    int
	Worker     domain.ID
	Until, Now time.Time
}

// Stream implements Command.
func (c ClaimSegment) Stream() string { return delivery.Stream(c.Campaign, c.Segment) }

// Decide implements Command.
func (c ClaimSegment) Decide(s delivery.Segment) ([]delivery.Event, error) {
	switch {
	case !s.IsPlanned():
		return nil, delivery.ErrNotPlanned
	case s.Worker == c.Worker && s.Until.Equal(c.Until):
		return nil, nil
	case s.Done():
		return nil, delivery.ErrDone
	case s.Worker != c.Worker && s.Until.After(c.Now):
		return nil, delivery.ErrClaimed
	}
	return []delivery.Event{delivery.Claimed{Worker: c.Worker, Until: c.Until}}, nil
}
