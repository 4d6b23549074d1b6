package api

import (
	"context"
	"net/http"
	"time"

	"github.com/cleversender/cleversender/commands"
	"github.com/cleversender/cleversender/domain"
	"github.com/cleversender/cleversender/domain/list"
	"github.com/cleversender/cleversender/projections/audience"
)

// List is a mailing list and how many people are on it.
type List struct {
	ID          domain.ID  `json:"id"`
	Name        string     `json:"name"`
	DoubleOptIn bool       `json:"double_opt_in"`
	Archived    bool       `json:"archived"`
	CreatedAt   time.Time  `json:"created_at"`
	Counts      ListCounts `json:"counts"`
}

// ListCounts adds up to Members.
type ListCounts struct {
	Members     int `json:"members"`
	Mailable    int `json:"mailable" doc:"may be mailed"`
	Unconfirmed int `json:"unconfirmed" doc:"have yet to confirm"`
	Revoked     int `json:"revoked" doc:"withdrew their consent"`
	NoConsent   int `json:"no_consent" doc:"on the list, and never agreed to mail"`
	Suppressed  int `json:"suppressed" doc:"get no mail whatever they agreed to: the address bounced, or they complained"`
	Objected    int `json:"objected" doc:"objected to direct marketing"`
	Restricted  int `json:"restricted" doc:"their data is kept and not used"`
}

// ListNew is what it takes to create a list.
type ListNew struct {
	Name        string `json:"name" minLength:"1" maxLength:"200"`
	DoubleOptIn bool   `json:"double_opt_in,omitempty" doc:"consent counts once the address is confirmed"`
}

// ListCreated names a new list.
type ListCreated struct {
	ID          domain.ID `json:"id"`
	Name        string    `json:"name"`
	DoubleOptIn bool      `json:"double_opt_in"`
}

// ByID is the input of what is about one thing.
type ByID struct {
	ID domain.ID `path:"id"`
}

func (s *Server) listRoutes() {
	add(s, created(route(http.MethodPost, "/lists", "create-list", "lists", "Create a list")),
		func(ctx context.Context, in *struct {
			Idempotent
			Body ListNew
		}) (*Answer[ListCreated], error) {
			req := s.request(ctx, in.Idempotent)
			l := ListCreated{s.newID(req, in.Idempotent, "list"), in.Body.Name, in.Body.DoubleOptIn}
			at, err := do(ctx, s, req, in.Idempotent, commands.CreateList{List: l.ID, Name: l.Name, DoubleOptIn: l.DoubleOptIn})
			return &Answer[ListCreated]{at, l}, err
		})
	add(s, route(http.MethodGet, "/lists", "list-lists", "lists", "List the lists, archived ones too"),
		func(ctx context.Context, in *struct {
			Paged
			Waiting
		}) (*Shown[Page[List]], error) {
			return s.listLists(ctx, in.Paged, in.Waiting)
		})
	add(s, route(http.MethodGet, "/lists/{id}", "get-list", "lists", "Show a list and its counts"),
		func(ctx context.Context, in *struct {
			ByID
			Waiting
		}) (*Shown[List], error) {
			l, err := s.findList(ctx, in.ID, in.Waiting)
			return &Shown[List]{showList(l)}, err
		})
	add(s, route(http.MethodPost, "/lists/{id}/archive", "archive-list", "lists", "Archive a list: nothing is sent to it any more"),
		func(ctx context.Context, in *struct {
			ByID
			Idempotent
		}) (*Changed, error) {
			at, err := do(ctx, s, s.request(ctx, in.Idempotent), in.Idempotent, commands.ArchiveList{List: in.ID})
			return &Changed{at}, err
		})
}

func (s *Server) listLists(ctx context.Context, p Paged, w Waiting) (*Shown[Page[List]], error) {
	after, err := p.afterID()
	if err != nil {
		return nil, err
	}
	rows, err := s.read(ctx, audience.Projection.Name, w)
	if err != nil {
		return nil, err
	}
	found, err := audience.Lists(ctx, rows, callerOf(ctx).account, after, p.Limit+1)
	if err != nil {
		return nil, err
	}
	return &Shown[Page[List]]{page(found, p.Limit, showList, func(l audience.List) string { return l.ID.String() })}, nil
}

func (s *Server) findList(ctx context.Context, id domain.ID, w Waiting) (audience.List, error) {
	rows, err := s.read(ctx, audience.Projection.Name, w)
	if err != nil {
		return audience.List{}, err
	}
	l, found, err := audience.FindList(ctx, rows, callerOf(ctx).account, id)
	if err == nil && !found {
		err = commands.ErrNotFound
	}
	return l, err
}

func showList(l audience.List) List {
	c := l.Counts
	return List{l.ID, l.Name, l.DoubleOptIn, l.Archived, l.CreatedAt, ListCounts{
		c.Members, c.Mailable, c.Unconfirmed, c.Revoked, c.Silent, c.Suppressed, c.Objected, c.Restricted,
	}}
}

var errListArchived = domain.Refuse("list_archived", "the list is archived")

// openList refuses a list that is not the account's, or that is archived. It
// asks the log: a list made a moment ago counts.
func (s *Server) openList(ctx context.Context, id domain.ID) error {
	past, err := s.deps.Log.Load(ctx, list.Stream(id))
	if err != nil {
		return err
	}
	if len(past) == 0 || past[0].Meta.Account != callerOf(ctx).account {
		return commands.ErrNotFound
	}
	var l list.List
	for _, e := range past {
		l = l.Evolve(e.Data.(list.Event))
	}
	if l.Archived {
		return errListArchived
	}
	return nil
}
