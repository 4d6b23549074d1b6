package web

import (
	"context"
	"net/http"

	"github.com/cleversender/cleversender/adapters/eventlog"
	"github.com/cleversender/cleversender/domain/personal"
	"github.com/cleversender/cleversender/domain/subscriber"
	"github.com/cleversender/cleversender/projections/audience"
)

type peoplePage struct {
	Count  int
	People []audience.Person // open
	Next   string
}

func (s *site) people(w http.ResponseWriter, r *http.Request, who session) error {
	return s.peoplePage(w, r, who, "")
}

func (s *site) peoplePage(w http.ResponseWriter, r *http.Request, who session, problem string) (err error) {
	ctx, rows := r.Context(), s.rows(audience.Projection.Name)
	var p peoplePage
	if p.Count, err = audience.CountPeople(ctx, rows, who.account); err != nil {
		return err
	}
	found, err := audience.People(ctx, rows, who.account, afterID(r), perPage+1)
	if err != nil {
		return err
	}
	p.People, p.Next = cut(found, func(p audience.Person) string { return p.ID.String() })
	if err := s.open(ctx, p.People); err != nil {
		return err
	}
	return s.show(w, r, who, "people", view{Title: "People", Section: "people", Error: problem, Data: p})
}

// findPerson goes to the page of the person with an address. The address comes
// by POST: URLs end up in histories and logs.
func (s *site) findPerson(w http.ResponseWriter, r *http.Request, who session) error {
	id, found, err := s.Find(r.Context(), who.account, r.PostFormValue("email"))
	if problem, fault := refused(err); problem != "" {
		return s.peoplePage(w, r, who, problem)
	} else if fault != nil {
		return fault
	}
	if !found {
		return s.peoplePage(w, r, who, "Nobody with this address is in the account.")
	}
	return seeOther(w, r, "/people/"+id.String())
}

// open makes the values of people plain, in place; those of the erased become
// erased.
func (s *site) open(ctx context.Context, people []audience.Person) error {
	sealed := make([]eventlog.SealedValue, 0, 3*len(people))
	for i := range people {
		p := &people[i]
		for field, value := range map[string]personal.Value{"email": &p.Email, "name": &p.Name, "attributes": &p.Attributes} {
			sealed = append(sealed, sealedValue(p, field, value))
		}
	}
	return s.Log.OpenValues(ctx, sealed)
}

func sealedValue(p *audience.Person, field string, v personal.Value) eventlog.SealedValue {
	return eventlog.SealedValue{
		Account: p.Account, Subject: p.ID, Event: p.SealedBy, Stream: subscriber.Stream(p.ID),
		Field: field, Class: personal.Identity, Value: v,
	}
}
