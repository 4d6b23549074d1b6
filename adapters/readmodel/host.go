package readmodel

import (
	"context"
	"iter"
	"log/slog"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/cleversender/cleversender/adapters/eventlog"
	"github.com/cleversender/cleversender/domain/event"
	"github.com/cleversender/cleversender/projections"
)

// Source is the log, as the host reads it; *eventlog.Journal is one.
type Source interface {
	Follow(ctx context.Context, after event.Position, types []string, batch int) iter.Seq2[eventlog.RecordedPage, error]
	Head(ctx context.Context) (event.Position, error)
}

// Options are what a host needs.
type Options struct {
	Source      Source
	Store       Store
	Projections []projections.Projection
	Logger      *slog.Logger // nil: silent
}

// Host keeps every projection up to date and answers from them.
type Host struct{}

// NewHost opens the model of every projection. Nothing moves before Run.
func NewHost(ctx context.Context, o Options) (*Host, error) { return &Host{}, nil }

// Run follows the log until ctx ends, then stores every position.
func (h *Host) Run(ctx context.Context) error { return nil }

// Close closes the models; Run has returned.
func (h *Host) Close() error { return nil }

// Reader answers from a projection by name, whichever version serves.
func (h *Host) Reader(name string) projections.Reader { return nil }

// WaitFor returns once the serving model of a projection has passed at.
func (h *Host) WaitFor(ctx context.Context, name string, at event.Position) error { return nil }

// WaitAll is WaitFor of every projection.
func (h *Host) WaitAll(ctx context.Context, at event.Position) error { return nil }

// Purge leaves nothing of deleted rows in any byte of the models' files.
func (h *Host) Purge(ctx context.Context) error { return nil }

// Rebuild folds a projection anew from the first event, beside the one that
// serves, then switches to it. progress may be nil.
func (h *Host) Rebuild(ctx context.Context, name string, progress func(done, head event.Position)) error {
	return nil
}

// RebuildAll rebuilds every projection in one reading of the log.
func (h *Host) RebuildAll(ctx context.Context, progress func(done, head event.Position)) error {
	return nil
}

// Comparison says whether rebuilt equals live.
type Comparison struct {
	Name          string
	Position      event.Position // as of which both were compared
	Rows          int
	Live, Rebuilt string // SHA-256 over every row of every table, in key order, hex
}

// Equal reports that no byte differs.
func (c Comparison) Equal() bool { return c.Live == c.Rebuilt }

// Compare folds projections anew into scratch models up to where the live ones
// are, and compares every row. No names: all of them.
func (h *Host) Compare(ctx context.Context, progress func(done, head event.Position), names ...string) ([]Comparison, error) {
	return nil, nil
}

// Status is how one projection does.
type Status struct {
	Name     string
	Version  int            // that it should have
	Serving  string         // id of the model that answers
	Building string         // id of the model that is being built; "": none
	Position event.Position // of the serving model
	Head     event.Position // of the log
	Lag      uint64         // positions from Position to Head
	Poison   int            // events that could not be read
	Stopped  string         // why it does not go on; "": it does
}

// Status returns all, by name.
func (h *Host) Status(ctx context.Context) ([]Status, error) { return nil, nil }

// Collector gives the metrics: lag, position, poison and stopped by projection.
func (h *Host) Collector() prometheus.Collector { return nil }
