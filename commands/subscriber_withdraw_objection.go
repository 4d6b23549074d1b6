package commands

import (
	"github.com/cleversender/cleversender/domain"
	"github.com/cleversender/cleversender/domain/consent"
	"github.com/cleversender/cleversender/domain/personal"
	"github.com/cleversender/cleversender/domain/subscriber"
)

// WithdrawObjection notes that the person takes their objection back. It gives
// no consent: what ended with the objection has to be asked for anew.
type WithdrawObjection struct {
	Person subscriber.ID
	Method consent.Method
	Note   personal.Text // how the person said so; must be there
	IP     personal.Text
	Client personal.Text
}

// Stream implements Command.
func (c WithdrawObjection) Stream() string { return subscriber.Stream(c.Person) }

// About implements Personal.
func (c WithdrawObjection) About() domain.ID { return c.Person }

// Decide implements Command.
func (c WithdrawObjection) Decide(is subscriber.Subscriber) ([]subscriber.Event, error) {
	if err := living(is); err != nil {
		return nil, err
	}
	switch {
	case !is.Standing.Has(subscriber.Objection):
		return nil, nil
	case !c.Method.FirstHand():
		return nil, ErrNotFirstHand
	}
	if err := someNote(c.Note); err != nil {
		return nil, err
	}
	return []subscriber.Event{subscriber.ObjectionWithdrawn{
		Method: c.Method, Note: c.Note, IP: clip(c.IP, maxIP), Client: clip(c.Client, maxClient),
	}}, nil
}
