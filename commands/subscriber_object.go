package commands

import (
	"github.com/cleversender/cleversender/domain"
	"github.com/cleversender/cleversender/domain/consent"
	"github.com/cleversender/cleversender/domain/personal"
	"github.com/cleversender/cleversender/domain/subscriber"
)

// ObjectSubscriber notes that the person objects to direct marketing (GDPR Art. 21(2)).
type ObjectSubscriber struct {
	Person  subscriber.ID
	Request domain.ID // the privacy request that says so; zero: none
	Method  consent.Method
	IP      personal.Text
	Client  personal.Text
}

// Stream implements Command.
func (c ObjectSubscriber) Stream() string { return subscriber.Stream(c.Person) }

// About implements Personal.
func (c ObjectSubscriber) About() domain.ID { return c.Person }

// Decide implements Command. Every consent to marketing ends with it, and so
// does every question that waits; who agreed to something since, and objects
// again, ends that.
func (c ObjectSubscriber) Decide(is subscriber.Subscriber) ([]subscriber.Event, error) {
	if err := living(is); err != nil {
		return nil, err
	}
	if !c.Method.FirstHand() {
		return nil, ErrMethod
	}
	ip, client := clip(c.IP, maxIP), clip(c.Client, maxClient)
	events := []subscriber.Event{subscriber.Objected{Request: c.Request, Method: c.Method, IP: ip, Client: client}}
	for _, a := range is.Consents {
		if subscriber.IsMarketing(a.Purpose) && (a.Status != consent.StatusRevoked || a.Asked) {
			events = append(events, consent.Revoked{Purpose: a.Purpose, List: a.List, Method: c.Method, IP: ip, Client: client})
		}
	}
	if is.Standing.Has(subscriber.Objection) && len(events) == 1 {
		return nil, nil
	}
	return events, nil
}
