package commands

import (
	"github.com/cleversender/cleversender/domain"
	"github.com/cleversender/cleversender/domain/consent"
	"github.com/cleversender/cleversender/domain/personal"
	"github.com/cleversender/cleversender/domain/subscriber"
)

// RevokeConsent notes the person's no. It needs no yes before it: who objects
// in advance cannot be imported into a yes (GDPR Art. 7(3), 21(2)).
type RevokeConsent struct {
	Person  subscriber.ID
	Purpose consent.Purpose
	List    domain.ID // for the purpose mailing; zero for the others
	Method  consent.Method
	IP      personal.Text
	Client  personal.Text
}

// Stream implements Command.
func (c RevokeConsent) Stream() string { return subscriber.Stream(c.Person) }

// About implements Personal.
func (c RevokeConsent) About() domain.ID { return c.Person }

// Decide implements Command. A no also ends what was asked since the last no.
func (c RevokeConsent) Decide(is subscriber.Subscriber) ([]subscriber.Event, error) {
	if err := askable(is, c.Purpose, c.List, c.Method); err != nil {
		return nil, err
	}
	now := is.Consent(c.Purpose, c.List)
	if now.Status == consent.StatusRevoked && !now.Asked {
		return nil, nil
	}
	return []subscriber.Event{consent.Revoked{
		Purpose: c.Purpose, List: c.List, Method: c.Method,
		IP: clip(c.IP, maxIP), Client: clip(c.Client, maxClient),
	}}, nil
}
