// Package readmodel keeps the rows of projections, and hosts the projections
// that write them.
package readmodel

import (
	"context"
	"errors"

	"github.com/cleversender/cleversender/domain/event"
	"github.com/cleversender/cleversender/projections"
)

// Store keeps models; each version of each projection has one of its own.
type Store interface {
	// Open opens the model of a projection, and makes it if it does not exist yet.
	Open(ctx context.Context, p projections.Projection) (Model, error)
	// Versions lists the models that exist of a projection, as their ids, oldest version first.
	Versions(ctx context.Context, name string) ([]string, error)
	// Drop removes a model by its id, and every byte of it. It is not open.
	Drop(ctx context.Context, id string) error
}

// Model is the rows of one version of one projection, and the position they
// are as of.
type Model interface {
	projections.Reader
	// Position is up to where events have been folded into the rows.
	Position(ctx context.Context) (event.Position, error)
	// Apply lets fold change rows and moves the position, all in one
	// transaction: after an error nothing has changed.
	Apply(ctx context.Context, b Batch) error
	// Poison lists up to limit events that could not be read, by reference.
	Poison(ctx context.Context, limit int) ([]Poison, error)
	// Purge leaves nothing of what was deleted in any byte of the files.
	Purge(ctx context.Context) error
	Close() error
}

// Batch is one transaction of a model.
type Batch struct {
	From   event.Position               // where the model has to be
	Next   event.Position               // where it is then
	Fold   func(projections.Rows) error // nil: only the position moves
	Poison []Poison
}

// Poison is an event that could not be read. It holds no data of the event.
type Poison struct {
	Position event.Position
	Event    string // its id
	Type     string
	Reason   string
}

// ErrMoved: the model is not at the position that a batch starts from, since
// somebody else has written to it.
var ErrMoved = errors.New("the model is at another position")
