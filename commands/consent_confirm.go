package commands

import (
	"github.com/cleversender/cleversender/domain"
	"github.com/cleversender/cleversender/domain/consent"
	"github.com/cleversender/cleversender/domain/personal"
	"github.com/cleversender/cleversender/domain/subscriber"
)

// ErrNothingAsked: nobody asked since the person last said no, so an old link
// confirms nothing.
var ErrNothingAsked = domain.Refuse("nothing_to_confirm", "there is no request or consent that waits to be confirmed")

// ConfirmConsent notes that the person followed the link in a message to their
// address: the second step of double opt-in.
type ConfirmConsent struct {
	Person  subscriber.ID
	Purpose consent.Purpose
	List    domain.ID // for the purpose mailing; zero for the others
	Method  consent.Method
	IP      personal.Text
	Client  personal.Text
}

// Stream implements Command.
func (c ConfirmConsent) Stream() string { return subscriber.Stream(c.Person) }

// About implements Personal.
func (c ConfirmConsent) About() domain.ID { return c.Person }

// Decide implements Command.
func (c ConfirmConsent) Decide(is subscriber.Subscriber) ([]subscriber.Event, error) {
	if err := askable(is, c.Purpose, c.List, c.Method); err != nil {
		return nil, err
	}
	now := is.Consent(c.Purpose, c.List)
	switch {
	case !c.Method.FirstHand():
		return nil, ErrNotFirstHand
	case now.Status == consent.StatusConfirmed:
		return nil, nil
	case !now.Confirmable():
		return nil, ErrNothingAsked
	}
	return append(joins(is, c.List), consent.Confirmed{
		Purpose: c.Purpose, List: c.List, Method: c.Method,
		IP: clip(c.IP, maxIP), Client: clip(c.Client, maxClient),
	}), nil
}
