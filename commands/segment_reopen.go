package commands

import (
	"github.com/cleversender/cleversender/domain"
	"github.com/cleversender/cleversender/domain/delivery"
)

// ReopenSegment gives everybody in doubt their turn again: once for each of
// the campaign's requests to resend, counted from 1. Who comes to be in doubt
// after that stays so.
type ReopenSegment struct {
	Campaign domain.ID
	Segment  int
	Resend   int
}

// Stream implements Command.
func (c ReopenSegment) Stream() string { return delivery.Stream(c.Campaign, c.Segment) }

// Decide implements Command.
func (c ReopenSegment) Decide(s delivery.Segment) ([]delivery.Event, error) {
	switch {
	case !s.IsPlanned():
		return nil, delivery.ErrNotPlanned
	case s.Campaign != c.Campaign:
		return nil, delivery.ErrOtherMailing
	case !s.Reopens(c.Resend):
		return nil, nil
	}
	return []delivery.Event{delivery.Reopened{Resend: c.Resend}}, nil
}
