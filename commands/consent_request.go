package commands

import (
	"github.com/cleversender/cleversender/domain"
	"github.com/cleversender/cleversender/domain/consent"
	"github.com/cleversender/cleversender/domain/subscriber"
)

// RequestConsent asks a person, or notes that they ask to join and have yet to
// prove that the address is theirs (double opt-in). It is no answer.
type RequestConsent struct {
	Person  subscriber.ID
	Purpose consent.Purpose
	List    domain.ID // for the purpose mailing; zero for the others
	Method  consent.Method
}

// Stream implements Command.
func (c RequestConsent) Stream() string { return subscriber.Stream(c.Person) }

// About implements Personal.
func (c RequestConsent) About() domain.ID { return c.Person }

// Decide implements Command. Who is asked about a list is on it from then on.
func (c RequestConsent) Decide(is subscriber.Subscriber) ([]subscriber.Event, error) {
	if err := askable(is, c.Purpose, c.List, c.Method); err != nil {
		return nil, err
	}
	now := is.Consent(c.Purpose, c.List)
	if now.Asked || now.Status == consent.StatusConfirmed {
		return nil, nil
	}
	return append(joins(is, c.List),
		consent.Requested{Purpose: c.Purpose, List: c.List, Method: c.Method}), nil
}

// askable refuses what cannot be asked or answered: of nobody, about nothing.
func askable(is subscriber.Subscriber, p consent.Purpose, list domain.ID, m consent.Method) error {
	if err := living(is); err != nil {
		return err
	}
	switch {
	case !p.Known():
		return ErrPurpose
	case p.PerList() && list.IsZero():
		return ErrListNeeded
	case !p.PerList() && !list.IsZero():
		return ErrListless
	case !m.Known():
		return ErrMethod
	}
	return nil
}
