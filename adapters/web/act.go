package web

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"github.com/cleversender/cleversender/commands"
	"github.com/cleversender/cleversender/domain"
	"github.com/cleversender/cleversender/domain/event"
	"github.com/cleversender/cleversender/projections"
)

// request is what stands around the command of a form. A form that makes
// something carries an id of its own: sent twice it makes one thing.
func (s *site) request(r *http.Request, who session) commands.Request {
	id := s.NewID()
	if form := r.PostFormValue("form"); form != "" {
		id = who.account.Derive("form/" + form)
	}
	return commands.Request{ID: id, Account: who.account, Actor: who.token}
}

// act does what a form asks, and waits until the projection shows it.
func act[S commands.State[S, E], E any](s *site, r *http.Request, who session, projection string, cmd commands.Command[S, E]) error {
	done, err := commands.Handle(r.Context(), s.Log, s.request(r, who), cmd)
	if err != nil || done.Position == 0 {
		return err
	}
	return s.wait(r.Context(), projection, done.Position)
}

// wait gives a projection a moment to catch up; a page that is a little behind
// is better than none.
func (s *site) wait(ctx context.Context, projection string, at event.Position) error {
	bounded, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	if err := s.Models.WaitFor(bounded, projection, at); err != nil && bounded.Err() == nil {
		return err
	}
	return ctx.Err()
}

func (s *site) rows(projection string) projections.Reader { return s.Models.Reader(projection) }

// pathID is the id in the path; what is none names nothing.
func pathID(r *http.Request) (domain.ID, error) {
	id, err := domain.ParseID(r.PathValue("id"))
	if err != nil || id.IsZero() {
		return domain.ID{}, commands.ErrNotFound
	}
	return id, nil
}

// formID is an id in a form; zero when it is left out or none.
func formID(r *http.Request, field string) domain.ID {
	id, err := domain.ParseID(r.PostFormValue(field))
	if err != nil {
		return domain.ID{}
	}
	return id
}

// afterNumber is where a page of a list goes on; 0 from the start.
func afterNumber(r *http.Request) int64 {
	n, err := strconv.ParseInt(r.URL.Query().Get("after"), 10, 64)
	if err != nil {
		return 0
	}
	return n
}

func afterID(r *http.Request) domain.ID {
	id, err := domain.ParseID(r.URL.Query().Get("after"))
	if err != nil {
		return domain.ID{}
	}
	return id
}

const (
	perPage = 50
	maxForm = 2 << 20 // of a form without files
)

// cut is a page of what was found, one more than fits, and where the next begins.
func cut[T any](found []T, cursor func(T) string) (items []T, next string) {
	if len(found) <= perPage {
		return found, ""
	}
	return found[:perPage], cursor(found[perPage-1])
}

func seeOther(w http.ResponseWriter, r *http.Request, to string) error {
	http.Redirect(w, r, to, http.StatusSeeOther)
	return nil
}
