package commands

import (
	"github.com/cleversender/cleversender/domain"
	"github.com/cleversender/cleversender/domain/consent"
	"github.com/cleversender/cleversender/domain/personal"
	"github.com/cleversender/cleversender/domain/subscriber"
)

// ErrNotFirstHand: a file is the account's word; import it as an assertion.
var ErrNotFirstHand = domain.Refuse("not_first_hand", "a person's own answer does not come from a file")

// GiveConsent notes the person's own yes, with what shows it (GDPR Art. 7(1)).
// It is the one way back after a withdrawal.
type GiveConsent struct {
	Person  subscriber.ID
	Purpose consent.Purpose
	List    domain.ID // for the purpose mailing; zero for the others
	Method  consent.Method
	Wording string // SHA-256 of what they were shown, hex; "" when unknown
	IP      personal.Text
	Client  personal.Text
}

// Stream implements Command.
func (c GiveConsent) Stream() string { return subscriber.Stream(c.Person) }

// About implements Personal.
func (c GiveConsent) About() domain.ID { return c.Person }

// Decide implements Command. A yes on a list puts the person on it; a second
// yes adds nothing to the first.
func (c GiveConsent) Decide(is subscriber.Subscriber) ([]subscriber.Event, error) {
	if err := askable(is, c.Purpose, c.List, c.Method); err != nil {
		return nil, err
	}
	if !c.Method.FirstHand() {
		return nil, ErrNotFirstHand
	}
	switch is.Consent(c.Purpose, c.List).Status {
	case consent.StatusGiven, consent.StatusConfirmed:
		return nil, nil
	}
	if c.Wording != "" {
		if err := hexDigest(c.Wording); err != nil {
			return nil, err
		}
	}
	return append(joins(is, c.List), consent.Given{
		Purpose: c.Purpose, List: c.List, Method: c.Method, Wording: c.Wording,
		IP: clip(c.IP, maxIP), Client: clip(c.Client, maxClient),
	}), nil
}
