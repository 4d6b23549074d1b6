package web

import (
	"net/http"
	"time"

	"github.com/cleversender/cleversender/commands"
	"github.com/cleversender/cleversender/domain"
	"github.com/cleversender/cleversender/domain/consent"
	"github.com/cleversender/cleversender/domain/personal"
	"github.com/cleversender/cleversender/domain/privacyrequest"
	"github.com/cleversender/cleversender/domain/subscriber"
	"github.com/cleversender/cleversender/projections/audience"
)

func (s *site) restrictPerson(w http.ResponseWriter, r *http.Request, who session) error {
	return s.openRequest(w, r, who, privacyrequest.Restriction)
}

func (s *site) objectPerson(w http.ResponseWriter, r *http.Request, who session) error {
	return s.openRequest(w, r, who, privacyrequest.Objection)
}

func (s *site) suppressPerson(w http.ResponseWriter, r *http.Request, who session) error {
	return s.changeHold(w, r, who, func(person domain.ID, note personal.Text) personCommand {
		return commands.SuppressSubscriber{Person: person, Reason: subscriber.Manual, Note: note}
	})
}

func (s *site) unsuppressPerson(w http.ResponseWriter, r *http.Request, who session) error {
	return s.changeHold(w, r, who, func(person domain.ID, note personal.Text) personCommand {
		return commands.UnsuppressSubscriber{Person: person, Reason: subscriber.Hold(r.PostFormValue("reason")), Note: note}
	})
}

func (s *site) liftRestriction(w http.ResponseWriter, r *http.Request, who session) error {
	return s.changeHold(w, r, who, func(person domain.ID, note personal.Text) personCommand {
		day, _ := time.Parse(time.DateOnly, r.PostFormValue("informed")) // what is no day is refused as not informed
		return commands.LiftRestriction{Person: person, InformedAt: day, Note: note, Now: s.Now()}
	})
}

func (s *site) withdrawObjection(w http.ResponseWriter, r *http.Request, who session) error {
	return s.changeHold(w, r, who, func(person domain.ID, note personal.Text) personCommand {
		return commands.WithdrawObjection{Person: person, Method: consent.ByAPI, Note: note}
	})
}

type personCommand = commands.Command[subscriber.Subscriber, subscriber.Event]

// changeHold does what a form on a person's page asks, and shows the page again.
func (s *site) changeHold(w http.ResponseWriter, r *http.Request, who session, command func(domain.ID, personal.Text) personCommand) error {
	id, err := pathID(r)
	if err != nil {
		return err
	}
	cmd := command(id, personal.Of(r.PostFormValue("note")))
	if err := act(s, r, who, audience.Projection.Name, cmd); err != nil {
		return err
	}
	return seeOther(w, r, "/people/"+id.String())
}
