package api

import (
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/cleversender/cleversender/commands"
	"github.com/cleversender/cleversender/domain"
	"github.com/cleversender/cleversender/domain/consent"
	"github.com/cleversender/cleversender/domain/personal"
	"github.com/cleversender/cleversender/domain/subscriber"
	"github.com/cleversender/cleversender/projections/audience"
)

// Hold keeps mail from a person whatever they agreed to.
type Hold struct {
	Hold  subscriber.Hold `json:"hold" doc:"restriction, objection, hard_bounce, soft_bounces, complaint or manual"`
	Since time.Time       `json:"since"`
}

// HoldChange begins or ends what keeps mail from a person. An action takes the
// fields that name it, and no others.
type HoldChange struct {
	Action     string          `json:"action" enum:"suppress,unsuppress,restrict,lift,object,withdraw" doc:"lift ends a restriction; withdraw, on the person's word, an objection"`
	Reason     subscriber.Hold `json:"reason,omitempty" doc:"suppress: manual (the default), hard_bounce, soft_bounces or complaint; unsuppress: the one that is settled, left out: all"`
	Note       string          `json:"note,omitempty" maxLength:"500" doc:"kept sealed, as data of the person; unsuppress and withdraw need it: how you know"`
	InformedAt time.Time       `json:"informed_at,omitzero" doc:"lift: when the person was told (GDPR Art. 18(3))"`
	Method     consent.Method  `json:"method,omitempty" doc:"object, withdraw: how it reached you: api (the default), form, unsubscribe_page or data_request"`
}

// Suppression is one reason why a person gets no mail.
type Suppression struct {
	Subscriber domain.ID       `json:"subscriber"`
	Email      string          `json:"email"`
	Reason     subscriber.Hold `json:"reason" doc:"hard_bounce, soft_bounces, complaint or manual"`
	Since      time.Time       `json:"since"`
}

func (s *Server) holdRoutes() {
	add(s, route(http.MethodPost, "/subscribers/{id}/holds", "change-hold", "subscribers", "Suppress a person, restrict the use of their data, note their objection, or end one of these"),
		func(ctx context.Context, in *struct {
			ByID
			Idempotent
			Body HoldChange
		}) (*Changed, error) {
			at, err := s.changeHold(ctx, in.ID, in.Idempotent, in.Body)
			return &Changed{at}, err
		})
	add(s, route(http.MethodGet, "/suppressions", "list-suppressions", "subscribers", "List who is suppressed, and why"),
		func(ctx context.Context, in *struct {
			Paged
			Waiting
		}) (*Shown[Page[Suppression]], error) {
			return s.listSuppressions(ctx, in.Paged, in.Waiting)
		})
}

func (s *Server) changeHold(ctx context.Context, person domain.ID, key Idempotent, in HoldChange) (uint64, error) {
	req, note := s.request(ctx, key), personal.Of(in.Note)
	if in.Method == "" {
		in.Method = consent.ByAPI
	}
	switch in.Action {
	case "suppress":
		if in.Reason == "" {
			in.Reason = subscriber.Manual
		}
		return do(ctx, s, req, key, commands.SuppressSubscriber{Person: person, Reason: in.Reason, Note: note})
	case "unsuppress":
		return do(ctx, s, req, key, commands.UnsuppressSubscriber{Person: person, Reason: in.Reason, Note: note})
	case "restrict":
		return do(ctx, s, req, key, commands.RestrictSubscriber{Person: person, Note: note})
	case "lift":
		return do(ctx, s, req, key, commands.LiftRestriction{Person: person, InformedAt: in.InformedAt, Note: note, Now: s.deps.Now()})
	case "object":
		return do(ctx, s, req, key, commands.ObjectSubscriber{Person: person, Method: in.Method})
	case "withdraw":
		return do(ctx, s, req, key, commands.WithdrawObjection{Person: person, Method: in.Method, Note: note})
	default:
		return 0, errUnknownAction
	}
}

func (s *Server) listSuppressions(ctx context.Context, p Paged, w Waiting) (*Shown[Page[Suppression]], error) {
	after, err := p.afterSuppression()
	if err != nil {
		return nil, err
	}
	rows, err := s.read(ctx, audience.Projection.Name, w)
	if err != nil {
		return nil, err
	}
	account := callerOf(ctx).account
	found, err := audience.Suppressions(ctx, rows, account, after, p.Limit+1)
	if err != nil {
		return nil, err
	}
	out := page(found, p.Limit,
		func(f audience.Suppression) Suppression { return Suppression{f.Person, "", f.Reason, f.Since} },
		func(f audience.Suppression) string { return f.Person.String() + "." + string(f.Reason) })
	var people []audience.Person
	for _, i := range out.Items {
		held, found, err := audience.Find(ctx, rows, account, i.Subscriber)
		if err != nil {
			return nil, err
		}
		if found {
			people = append(people, held)
		}
	}
	shown, err := s.showPeople(ctx, people)
	if err != nil {
		return nil, err
	}
	email := map[domain.ID]string{}
	for _, p := range shown {
		email[p.ID] = p.Email
	}
	for i := range out.Items { // who was erased a moment ago has no address
		out.Items[i].Email = email[out.Items[i].Subscriber]
	}
	return &Shown[Page[Suppression]]{out}, nil
}

// afterSuppression reads a cursor that is a person and a reason.
func (p Paged) afterSuppression() (audience.Suppression, error) {
	if p.After == "" {
		return audience.Suppression{}, nil
	}
	person, reason, _ := strings.Cut(p.After, ".")
	id, err := domain.ParseID(person)
	if err != nil || !subscriber.Hold(reason).Suppresses() {
		return audience.Suppression{}, errBadCursor
	}
	return audience.Suppression{Person: id, Reason: subscriber.Hold(reason)}, nil
}
