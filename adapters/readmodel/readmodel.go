// Package readmodel keeps the rows of projections, and hosts the projections
// that write them.
//
// # What can fail, and what then
//
//	step                    failed, not done               failed, but done
//	read a page             read again from the position   -
//	decode an event         its reference goes to the      -
//	                        poison table with the page;
//	                        the rest of the page counts
//	an event from a newer   the projection stops there,    -
//	version                 and Status says so
//	fold and commit a page  rows and position are as they  the position has moved: events up to
//	                        were; the page comes again     it are left out when the page comes again
//	store an idle position  stored with the next page, or  -
//	                        at the next start events that
//	                        match nothing are read again
//	switch to a rebuilt     the old model serves on; the   the new one serves
//	model                   scratch one goes at the start
//
// kill -9 at any point: a model is as of the position it holds, and goes on from it.
package readmodel

import (
	"context"
	"errors"

	"github.com/cleversender/cleversender/domain/event"
	"github.com/cleversender/cleversender/projections"
)

// Store keeps models, each under an id: letters, digits and underscores.
type Store interface {
	// Open opens a model, and makes it if it does not exist yet. One that was
	// made with other tables is ErrShape.
	Open(ctx context.Context, id string, tables []*projections.Table) (Model, error)
	// IDs lists the models that exist, sorted.
	IDs(ctx context.Context) ([]string, error)
	// Replace gives model from the name of another, which goes if it exists.
	// Neither is open. Whatever happens, one whole model has that name.
	Replace(ctx context.Context, from, id string) error
	// Drop removes a model, and every byte of it. It is not open.
	Drop(ctx context.Context, id string) error
}

// Builder is a Store that fills a model faster while nobody reads it.
type Builder interface {
	// Build opens a model that is empty and open nowhere else. What is applied
	// to it may be written as late as when it is read or closed.
	Build(ctx context.Context, id string, tables []*projections.Table) (Model, error)
}

// Model is the rows of one projection, and the position they are as of.
type Model interface {
	projections.Reader
	// Position is up to where events have been folded into the rows.
	Position(ctx context.Context) (event.Position, error)
	// Apply lets a batch change rows and moves the position, all in one
	// transaction: after an error nothing has changed. One batch at a time.
	Apply(ctx context.Context, b Batch) error
	// Snapshot is the model as it is now, whatever is applied later.
	Snapshot(ctx context.Context) (Snapshot, error)
	// Poison lists up to limit events that could not be read, in log order.
	Poison(ctx context.Context, limit int) ([]Poison, error)
	// Purge leaves nothing of what was deleted in any byte of the files.
	Purge(ctx context.Context) error
	Close() error
}

// Snapshot is a model at one moment. Close it soon: it holds on to space.
type Snapshot interface {
	projections.Reader
	Position(ctx context.Context) (event.Position, error)
	Close() error
}

// Batch is one transaction of a model.
type Batch struct {
	From, Next event.Position // the model has to be at From, and is at Next then
	// Fold changes rows; nil: only the position moves. A store may call it more
	// than once, with rows missing but the last time, which counts.
	Fold   func(projections.Rows) error
	Poison []Poison
}

// Poison is an event that could not be read, by reference: it holds nothing of
// the event's data.
type Poison struct {
	Position event.Position
	Event    string // its id
	Type     string
	Version  int
}

var (
	// ErrMoved: the model is not where a batch starts from; somebody else has written to it.
	ErrMoved = errors.New("the model is at another position")
	// ErrShape: the tables are not those that the model was made with.
	ErrShape = errors.New("the model was made with other tables")
)
