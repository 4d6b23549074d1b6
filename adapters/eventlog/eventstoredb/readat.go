package eventstoredb

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/EventStore/EventStore-Client-Go/v4/esdb"
	"golang.org/x/sync/errgroup"

	"github.com/cleversender/cleversender/adapters/eventlog"
	"github.com/cleversender/cleversender/domain/event"
)

// Positions are neighbours when one read passes from one to the other sooner
// than a second read would begin: positions count bytes of the server's log.
const (
	neighbours  = 64 << 10
	longestRun  = 500
	readsAtOnce = 8
)

// ReadAt implements eventlog.Log.
func (l *Log) ReadAt(ctx context.Context, positions []event.Position) ([]event.Stored, error) {
	runs := runsOf(positions)
	found := make([][]event.Stored, len(runs))
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(readsAtOnce)
	for i, run := range runs {
		g.Go(func() (err error) {
			found[i], err = l.readRun(ctx, run)
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return nil, fmt.Errorf("read events: %w", err)
	}
	return slices.Concat(found...), nil
}

// runsOf sorts positions into runs of neighbours.
func runsOf(positions []event.Position) (runs [][]event.Position) {
	sorted := slices.Compact(slices.Sorted(slices.Values(positions)))
	if len(sorted) > 0 && sorted[0] == 0 {
		sorted = sorted[1:]
	}
	for i, p := range sorted {
		n := len(runs) - 1
		if i == 0 || p-sorted[i-1] > neighbours || len(runs[n]) == longestRun {
			runs = append(runs, sorted[i:i+1:i+1])
			continue
		}
		runs[n] = append(runs[n], p)
	}
	return runs
}

// readRun reads the events of a run. The read has to begin at an event: where
// there is none, the run begins with its next position.
func (l *Log) readRun(ctx context.Context, run []event.Position) (events []event.Stored, err error) {
	for ; len(run) > 0; run = run[1:] {
		err = l.persist(ctx, func() (err error) {
			events, _, err = l.read(ctx, func(ctx context.Context, c *esdb.Client) (*esdb.ReadStream, error) {
				first := uint64(run[0])
				return c.ReadAll(ctx, esdb.ReadAllOptions{From: esdb.Position{Commit: first, Prepare: first}}, everything)
			}, wanted(run))
			return err
		})
		if !errors.Is(err, eventlog.ErrNoPosition) {
			return events, err
		}
	}
	return nil, nil
}

// wanted keeps the events at these positions, and ends with the last.
func wanted(run []event.Position) func(*event.Stored) (keep, more bool) {
	return func(e *event.Stored) (keep, more bool) {
		_, keep = slices.BinarySearch(run, e.Position)
		return keep, e.Position < run[len(run)-1]
	}
}
