package api

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/cleversender/cleversender/commands"
	"github.com/cleversender/cleversender/domain"
	"github.com/cleversender/cleversender/domain/privacyrequest"
	"github.com/cleversender/cleversender/domain/subscriber"
	"github.com/cleversender/cleversender/projections/requests"
)

// Request is what a data subject asked for, and what became of it.
type Request struct {
	ID          domain.ID           `json:"id"`
	Subscriber  domain.ID           `json:"subscriber"`
	Kind        privacyrequest.Kind `json:"kind" doc:"access, erasure, restriction or objection"`
	ReceivedAt  time.Time           `json:"received_at"`
	Due         time.Time           `json:"due" doc:"GDPR Art. 12(3)"`
	FulfilledAt time.Time           `json:"fulfilled_at,omitzero" doc:"left out: open"`
	Access      *AccessDone         `json:"access,omitempty"`
	Erasure     *ErasureDone        `json:"erasure,omitempty"`
	Hold        domain.ID           `json:"hold,omitzero" doc:"of a restriction or an objection: the event from which it holds"`
}

// AccessDone says what the bundle of an access request is.
type AccessDone struct {
	Position uint64 `json:"position" doc:"of the log, up to which the bundle reaches"`
	Events   int    `json:"events"`
	SHA256   string `json:"sha256" doc:"of the bundle"`
}

// ErasureDone is the certificate of an erasure.
type ErasureDone struct {
	Redaction  domain.ID `json:"redaction" doc:"the event from which nothing of the person can be read"`
	Keys       int       `json:"keys" doc:"destroyed"`
	Events     int       `json:"events" doc:"that can no longer be read"`
	Suppressed bool      `json:"suppressed" doc:"a keyed hash keeps the address from coming back"`
}

// RequestNew is what a person asks for; name them by id or by address.
type RequestNew struct {
	Kind       privacyrequest.Kind `json:"kind" enum:"access,erasure,restriction,objection"`
	Subscriber domain.ID           `json:"subscriber,omitzero"`
	Email      string              `json:"email,omitempty" maxLength:"1000"`
}

// RequestOpened names a new request. The desk fulfils it; ask for it again.
type RequestOpened struct {
	ID         domain.ID `json:"id"`
	Subscriber domain.ID `json:"subscriber"`
}

var (
	errNoSubject    = domain.Refuse("person_required", "name the person by subscriber or by email, not both")
	errNoBundle     = domain.Refuse("no_bundle", "only an access request has a bundle")
	errNotFulfilled = domain.Refuse("not_fulfilled", "the request is not fulfilled yet; try again in a moment")
)

func (s *Server) requestRoutes() {
	add(s, created(route(http.MethodPost, "/requests", "open-request", "privacy", "Open a data subject's request: access, erasure, restriction or objection")),
		func(ctx context.Context, in *struct {
			Idempotent
			Body RequestNew
		}) (*Answer[RequestOpened], error) {
			return s.openRequest(ctx, in.Idempotent, in.Body)
		})
	add(s, route(http.MethodGet, "/requests", "list-requests", "privacy", "List the requests, newest first"),
		func(ctx context.Context, in *struct {
			Paged
			Waiting
		}) (*Shown[Page[Request]], error) {
			return s.listRequests(ctx, in.Paged, in.Waiting)
		})
	add(s, route(http.MethodGet, "/requests/{id}", "get-request", "privacy", "Show a request"),
		func(ctx context.Context, in *struct {
			ByID
			Waiting
		}) (*Shown[Request], error) {
			q, err := s.findRequest(ctx, in.ID, in.Waiting)
			return &Shown[Request]{showRequest(q)}, err
		})
	bundle := route(http.MethodGet, "/requests/{id}/bundle", "get-bundle", "privacy", "Download what an access request gets")
	bundle.Responses = fileResponse("application/json")
	add(s, bundle, func(ctx context.Context, in *struct {
		ByID
		Waiting
	}) (*File, error) {
		return s.bundle(ctx, in.ID, in.Waiting)
	})
}

func (s *Server) openRequest(ctx context.Context, key Idempotent, in RequestNew) (*Answer[RequestOpened], error) {
	person := in.Subscriber
	if person.IsZero() == (in.Email == "") {
		return nil, errNoSubject
	}
	req := s.request(ctx, key)
	id := s.newID(req, key, "request")
	if in.Email != "" {
		var err error
		if person, err = s.byAddress(ctx, in.Email); err != nil {
			return nil, err
		}
	}
	if err := commands.Exists(ctx, s.deps.Log, req.Account, subscriber.Stream(person)); err != nil {
		return nil, err
	}
	past, err := s.deps.Log.Load(ctx, privacyrequest.Stream(id))
	if err == nil && len(past) > 0 && past[0].Meta.Subject != person {
		err = errKeyReused
	}
	if err != nil {
		return nil, err
	}
	at, err := do(ctx, s, req, key, commands.OpenRequest{Request: id, Person: person, Kind: in.Kind, Now: s.deps.Now()})
	return &Answer[RequestOpened]{at, RequestOpened{id, person}}, err
}

func (s *Server) listRequests(ctx context.Context, p Paged, w Waiting) (*Shown[Page[Request]], error) {
	after, err := p.afterNumber()
	if err != nil {
		return nil, err
	}
	rows, err := s.read(ctx, requests.Projection.Name, w)
	if err != nil {
		return nil, err
	}
	found, err := requests.Recent(ctx, rows, callerOf(ctx).account, requests.Cursor(after), p.Limit+1)
	if err != nil {
		return nil, err
	}
	return &Shown[Page[Request]]{page(found, p.Limit, showRequest,
		func(q requests.Request) string { return number(q.Cursor()) })}, nil
}

func (s *Server) findRequest(ctx context.Context, id domain.ID, w Waiting) (requests.Request, error) {
	rows, err := s.read(ctx, requests.Projection.Name, w)
	if err != nil {
		return requests.Request{}, err
	}
	q, found, err := requests.Find(ctx, rows, callerOf(ctx).account, id)
	if err == nil && !found {
		err = commands.ErrNotFound
	}
	return q, err
}

// bundle is made anew from the log: the same bytes as when the request was fulfilled.
func (s *Server) bundle(ctx context.Context, id domain.ID, w Waiting) (*File, error) {
	q, err := s.findRequest(ctx, id, w)
	switch {
	case err != nil:
		return nil, err
	case q.Kind != privacyrequest.Access:
		return nil, errNoBundle
	case q.FulfilledAt.IsZero():
		return nil, errNotFulfilled
	}
	raw, err := s.deps.Bundle(ctx, q.Account, q.Person, q.Access.Position)
	if err != nil {
		return nil, err
	}
	return &File{"application/json", `attachment; filename="personal-data.json"`, func(hc huma.Context) {
		hc.SetHeader("Content-Type", "application/json")
		_, _ = hc.BodyWriter().Write(raw) // the client may have left
	}}, nil
}

func showRequest(q requests.Request) Request {
	out := Request{ID: q.ID, Subscriber: q.Person, Kind: q.Kind, ReceivedAt: q.ReceivedAt, Due: q.Due, FulfilledAt: q.FulfilledAt, Hold: q.Hold}
	switch {
	case q.FulfilledAt.IsZero():
	case q.Kind == privacyrequest.Access:
		out.Access = &AccessDone{uint64(q.Access.Position), q.Access.Events, q.Access.SHA256}
	case q.Kind == privacyrequest.Erasure:
		e := ErasureDone(q.Erasure)
		out.Erasure = &e
	}
	return out
}
