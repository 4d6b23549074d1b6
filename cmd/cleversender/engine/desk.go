package engine

import (
	"context"
	"time"

	"github.com/cleversender/cleversender/adapters/address"
	"github.com/cleversender/cleversender/adapters/desk"
	"github.com/cleversender/cleversender/domain"
	"github.com/cleversender/cleversender/domain/catalog"
	"github.com/cleversender/cleversender/domain/event"
	"github.com/cleversender/cleversender/projections/requests"
	"github.com/cleversender/cleversender/projections/subjectindex"
)

// newDesk wires the worker that fulfils privacy requests.
func (e *Engine) newDesk() *desk.Desk {
	return desk.New(desk.Options{
		Journal: e.Journal, Catalog: catalog.All, Keys: e.Keys, Directory: e.Keys, Models: e.Models,
		Subjects: e.positionsOf, Due: e.openRequests,
		Normalise: func(raw string) (string, error) {
			_, normal, err := address.Forms(raw)
			return normal, err
		},
		Report: func(t desk.Task, took time.Duration, err error) {
			switch {
			case t == (desk.Task{}):
				e.options.Logger.Warn("open privacy requests were not read; they will be", "error", err)
			case err != nil:
				e.options.Logger.Error("privacy request failed; it will be tried again", "request", t.Request, "kind", t.Kind, "error", err)
			default:
				e.options.Logger.Info("privacy request fulfilled", "request", t.Request, "kind", t.Kind, "took", took)
			}
		},
	})
}

// positionsOf lists the events that concern a person, up to a position.
func (e *Engine) positionsOf(ctx context.Context, person domain.ID, upTo event.Position) ([]event.Position, error) {
	if err := e.Models.WaitFor(ctx, subjectindex.Projection.Name, upTo); err != nil {
		return nil, err
	}
	return subjectindex.Positions(ctx, e.Models.Reader(subjectindex.Projection.Name), person, upTo)
}

func (e *Engine) openRequests(ctx context.Context, limit int) ([]desk.Task, error) {
	open, err := requests.Open(ctx, e.Models.Reader(requests.Projection.Name), limit)
	tasks := make([]desk.Task, len(open))
	for i, r := range open {
		tasks[i] = desk.Task{Account: r.Account, Request: r.ID, Person: r.Person, Kind: r.Kind}
	}
	return tasks, err
}
