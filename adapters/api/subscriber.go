package api

import (
	"context"
	"net/http"
	"time"

	"github.com/cleversender/cleversender/adapters/eventlog"
	"github.com/cleversender/cleversender/commands"
	"github.com/cleversender/cleversender/domain"
	"github.com/cleversender/cleversender/domain/consent"
	"github.com/cleversender/cleversender/domain/personal"
	"github.com/cleversender/cleversender/domain/subscriber"
	"github.com/cleversender/cleversender/projections/audience"
)

// Subscriber is a person whose data the account holds.
type Subscriber struct {
	ID         domain.ID         `json:"id"`
	Email      string            `json:"email"`
	Name       string            `json:"name,omitempty"`
	Attributes map[string]string `json:"attributes,omitempty"`
	Source     subscriber.Source `json:"source"`
	AddedAt    time.Time         `json:"added_at"`
	Lists      []Membership      `json:"lists" nullable:"false"`
	Holds      []Hold            `json:"holds" nullable:"false" doc:"what keeps mail from them, whatever they agreed to"`
	Agreed     []consent.Purpose `json:"agreed" nullable:"false" doc:"purposes that hold for the account as a whole, in force now"`
}

// Membership is a person on a list.
type Membership struct {
	List     domain.ID         `json:"list"`
	Standing audience.Standing `json:"standing" doc:"mailable, unconfirmed, revoked, no_consent, suppressed, objected or restricted"`
	Since    time.Time         `json:"since"`
}

// Member is a person on a list, seen from the list.
type Member struct {
	Subscriber domain.ID         `json:"subscriber"`
	Standing   audience.Standing `json:"standing" doc:"mailable, unconfirmed, revoked, no_consent, suppressed, objected or restricted"`
	Since      time.Time         `json:"since"`
}

// SubscriberNew is what it takes to add a person. It says nothing about consent.
type SubscriberNew struct {
	Email      string            `json:"email" minLength:"3" maxLength:"1000"`
	Name       string            `json:"name,omitempty" maxLength:"200"`
	Attributes map[string]string `json:"attributes,omitempty"`
	List       domain.ID         `json:"list,omitzero"`
}

// SubscriberID names a person.
type SubscriberID struct {
	ID domain.ID `json:"id"`
}

// SubscriberChange is new data; what is left out stays. Attributes are replaced as a whole.
type SubscriberChange struct {
	Email      *string            `json:"email,omitempty" minLength:"3" maxLength:"1000"`
	Name       *string            `json:"name,omitempty" maxLength:"200"`
	Attributes *map[string]string `json:"attributes,omitempty"`
}

// SubscriberQuery looks a person up. An address never travels in a URL, where
// others keep logs of it.
type SubscriberQuery struct {
	Email string `json:"email" minLength:"3" maxLength:"1000"`
}

var errSuppressed = domain.Refuse("address_suppressed", "the person behind this address was erased, and has not come back by themself")

func (s *Server) subscriberRoutes() {
	add(s, created(route(http.MethodPost, "/subscribers", "add-subscriber", "subscribers", "Add a person, or put one on a list")),
		func(ctx context.Context, in *struct {
			Idempotent
			Body SubscriberNew
		}) (*Answer[SubscriberID], error) {
			return s.addSubscriber(ctx, in.Idempotent, in.Body)
		})
	add(s, route(http.MethodGet, "/subscribers", "list-subscribers", "subscribers", "List the people whose data the account holds"),
		func(ctx context.Context, in *struct {
			Paged
			Waiting
		}) (*Shown[Page[Subscriber]], error) {
			return s.listSubscribers(ctx, in.Paged, in.Waiting)
		})
	add(s, route(http.MethodPost, "/subscribers/find", "find-subscriber", "subscribers", "Find a person by e-mail address"),
		func(ctx context.Context, in *struct {
			Waiting
			Body SubscriberQuery
		}) (*Shown[Subscriber], error) {
			id, err := s.byAddress(ctx, in.Body.Email)
			if err != nil {
				return nil, err
			}
			return s.getSubscriber(ctx, id, in.Waiting)
		})
	add(s, route(http.MethodGet, "/lists/{id}/members", "list-members", "subscribers", "List the people on a list"),
		func(ctx context.Context, in *struct {
			ByID
			Paged
			Waiting
		}) (*Shown[Page[Member]], error) {
			return s.listMembers(ctx, in.ID, in.Paged, in.Waiting)
		})
	add(s, route(http.MethodGet, "/subscribers/{id}", "get-subscriber", "subscribers", "Show a person"),
		func(ctx context.Context, in *struct {
			ByID
			Waiting
		}) (*Shown[Subscriber], error) {
			return s.getSubscriber(ctx, in.ID, in.Waiting)
		})
	add(s, route(http.MethodPatch, "/subscribers/{id}", "rectify-subscriber", "subscribers", "Correct a person's data"),
		func(ctx context.Context, in *struct {
			ByID
			Body SubscriberChange
		}) (*Changed, error) {
			return s.rectify(ctx, in.ID, in.Body)
		})
}

func (s *Server) addSubscriber(ctx context.Context, key Idempotent, in SubscriberNew) (*Answer[SubscriberID], error) {
	plain, normal, err := s.deps.Address(in.Email)
	if err != nil {
		return nil, err
	}
	if !in.List.IsZero() {
		if err := s.openList(ctx, in.List); err != nil {
			return nil, err
		}
	}
	person, suppressed, err := s.deps.Directory.Reserve(ctx, callerOf(ctx).account, normal)
	if err != nil {
		return nil, err
	}
	if suppressed {
		return nil, errSuppressed
	}
	at, err := do(ctx, s, s.request(ctx, key), key, commands.AddSubscriber{
		Person: person, Email: personal.Of(plain), Name: personal.Of(in.Name),
		Attributes: personal.FieldsOf(in.Attributes), List: in.List, Source: subscriber.SourceAPI,
	})
	return &Answer[SubscriberID]{at, SubscriberID{person}}, err
}

// byAddress finds a person of the account.
func (s *Server) byAddress(ctx context.Context, email string) (domain.ID, error) {
	_, normal, err := s.deps.Address(email)
	if err != nil {
		return domain.ID{}, err
	}
	person, found, err := s.deps.Directory.Find(ctx, callerOf(ctx).account, normal)
	if err == nil && !found {
		err = commands.ErrNotFound
	}
	return person, err
}

func (s *Server) getSubscriber(ctx context.Context, id domain.ID, w Waiting) (*Shown[Subscriber], error) {
	rows, err := s.read(ctx, audience.Projection.Name, w)
	if err != nil {
		return nil, err
	}
	p, found, err := audience.Find(ctx, rows, callerOf(ctx).account, id)
	if err == nil && !found {
		err = commands.ErrNotFound
	}
	if err != nil {
		return nil, err
	}
	shown, err := s.showPeople(ctx, []audience.Person{p})
	if err == nil && len(shown) == 0 { // erased a moment ago
		err = commands.ErrNotFound
	}
	if err != nil {
		return nil, err
	}
	return &Shown[Subscriber]{shown[0]}, nil
}

func (s *Server) listSubscribers(ctx context.Context, p Paged, w Waiting) (*Shown[Page[Subscriber]], error) {
	after, err := p.afterID()
	if err != nil {
		return nil, err
	}
	rows, err := s.read(ctx, audience.Projection.Name, w)
	if err != nil {
		return nil, err
	}
	found, err := audience.People(ctx, rows, callerOf(ctx).account, after, p.Limit+1)
	if err != nil {
		return nil, err
	}
	out := Page[Subscriber]{}
	if len(found) > p.Limit {
		found = found[:p.Limit]
		out.Next = found[p.Limit-1].ID.String()
	}
	out.Items, err = s.showPeople(ctx, found)
	return &Shown[Page[Subscriber]]{out}, err
}

func (s *Server) listMembers(ctx context.Context, id domain.ID, p Paged, w Waiting) (*Shown[Page[Member]], error) {
	after, err := p.afterID()
	if err != nil {
		return nil, err
	}
	if _, err := s.findList(ctx, id, w); err != nil {
		return nil, err
	}
	found, err := audience.Members(ctx, s.deps.Models.Reader(audience.Projection.Name), id, after, p.Limit+1)
	if err != nil {
		return nil, err
	}
	return &Shown[Page[Member]]{page(found, p.Limit,
		func(m audience.Member) Member { return Member{m.Person, m.Standing, m.Since} },
		func(m audience.Member) string { return m.Person.String() })}, nil
}

// showPeople opens what the read model keeps sealed. Who has been erased
// meanwhile is left out.
func (s *Server) showPeople(ctx context.Context, people []audience.Person) ([]Subscriber, error) {
	sealed := make([]eventlog.SealedValue, 0, 3*len(people))
	for i := range people {
		p := &people[i]
		for field, value := range map[string]personal.Value{"email": &p.Email, "name": &p.Name, "attributes": &p.Attributes} {
			sealed = append(sealed, eventlog.SealedValue{
				Account: p.Account, Subject: p.ID, Event: p.SealedBy,
				Stream: subscriber.Stream(p.ID), Field: field, Class: personal.Identity, Value: value,
			})
		}
	}
	if err := s.deps.Log.OpenValues(ctx, sealed); err != nil {
		return nil, err
	}
	out := make([]Subscriber, 0, len(people))
	for _, p := range people {
		shown := Subscriber{ID: p.ID, Source: p.Source, AddedAt: p.AddedAt, Lists: []Membership{}, Holds: []Hold{}, Agreed: agreed(p)}
		var ok bool
		if shown.Email, ok = p.Email.Reveal(); !ok {
			continue
		}
		shown.Name, _ = p.Name.Reveal()
		shown.Attributes, _ = p.Attributes.Reveal()
		for _, m := range p.Lists {
			shown.Lists = append(shown.Lists, Membership{m.List, m.Standing, m.Since})
		}
		for _, h := range p.Holds {
			shown.Holds = append(shown.Holds, Hold{h.Hold, h.Since})
		}
		out = append(out, shown)
	}
	return out, nil
}

func agreed(p audience.Person) []consent.Purpose {
	out := []consent.Purpose{}
	if p.OpenTracking > 0 {
		out = append(out, consent.OpenTracking)
	}
	if p.ClickTracking > 0 {
		out = append(out, consent.ClickTracking)
	}
	if p.Profiling > 0 {
		out = append(out, consent.Profiling)
	}
	if p.PolicyNotices > 0 {
		out = append(out, consent.PolicyNotices)
	}
	return out
}
