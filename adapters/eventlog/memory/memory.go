// Package memory is the event log in memory, for tests and for trying things
// out: it keeps every promise of a log but that of being durable.
package memory

import (
	"context"
	"iter"
	"slices"
	"sync"

	"github.com/cleversender/cleversender/adapters/eventlog"
	"github.com/cleversender/cleversender/domain"
	"github.com/cleversender/cleversender/domain/event"
)

// Log is the event log. Its slice of events is only ever appended to, so what
// a reader was given stays as it was.
type Log struct {
	Known eventlog.Known // set before it is used

	mu      sync.Mutex
	events  []event.Stored              // event at position p is events[p-1]
	streams map[string][]event.Position // of each stream, by revision-1
	grown   chan struct{}               // closed when there are more
	closed  chan struct{}
}

var _ eventlog.Log = (*Log)(nil)

// New makes an empty log.
func New() *Log {
	return &Log{streams: map[string][]event.Position{}, grown: make(chan struct{}), closed: make(chan struct{})}
}

// Append implements eventlog.Log.
func (l *Log) Append(ctx context.Context, a eventlog.Append) (eventlog.Result, error) {
	if err := ctx.Err(); err != nil {
		return eventlog.Result{}, err
	}
	if err := a.Check(); err != nil {
		return eventlog.Result{}, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.isClosed() {
		return eventlog.Result{}, eventlog.ErrClosed
	}
	stream := l.streams[a.Stream]
	var held []domain.ID
	last := a.Expect + uint64(len(a.Events))
	if length := uint64(len(stream)); length > a.Expect {
		for _, p := range stream[a.Expect:min(last, length)] {
			held = append(held, l.events[p-1].ID)
		}
	}
	known, err := a.Settle(uint64(len(stream)), held)
	if err != nil {
		return eventlog.Result{}, err
	}
	for _, e := range a.Events[known:] {
		stream = append(stream, event.Position(len(l.events)+1))
		e.Stream, e.Revision, e.Position = a.Stream, uint64(len(stream)), stream[len(stream)-1]
		e.Data = slices.Clone(e.Data)
		l.events = append(l.events, e)
	}
	l.streams[a.Stream] = stream
	if known < len(a.Events) {
		close(l.grown)
		l.grown = make(chan struct{})
	}
	return eventlog.Result{Position: stream[last-1], Revision: last}, nil
}

// AppendBulk implements eventlog.Log.
func (l *Log) AppendBulk(ctx context.Context, as []eventlog.Append) ([]eventlog.Result, []error) {
	results, errs := make([]eventlog.Result, len(as)), make([]error, len(as))
	for i, a := range as {
		results[i], errs[i] = l.Append(ctx, a)
	}
	return results, errs
}

func (l *Log) isClosed() bool {
	select {
	case <-l.closed:
		return true
	default:
		return false
	}
}

// ReadStream implements eventlog.Log.
func (l *Log) ReadStream(ctx context.Context, stream string, skip uint64, batch int) iter.Seq2[[]event.Stored, error] {
	batch = max(batch, 1)
	return func(yield func([]event.Stored, error) bool) {
		skip := skip
		for {
			if err := ctx.Err(); err != nil {
				yield(nil, err)
				return
			}
			l.mu.Lock()
			var positions []event.Position
			if at := l.streams[stream]; uint64(len(at)) > skip {
				positions = at[skip:min(uint64(len(at)), skip+uint64(batch))]
			}
			events := l.at(positions)
			l.mu.Unlock()
			if len(events) == 0 || !yield(events, nil) {
				return
			}
			skip += uint64(len(events))
		}
	}
}

// ReadAt implements eventlog.Log.
func (l *Log) ReadAt(ctx context.Context, positions []event.Position) ([]event.Stored, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.at(slices.Compact(slices.Sorted(slices.Values(positions)))), ctx.Err()
}

func (l *Log) at(positions []event.Position) []event.Stored {
	var out []event.Stored
	for _, p := range positions {
		if p >= 1 && int(p) <= len(l.events) {
			out = append(out, l.events[p-1])
		}
	}
	return out
}

// Follow implements eventlog.Log.
func (l *Log) Follow(ctx context.Context, after event.Position, types []string, batch int) iter.Seq2[eventlog.Page, error] {
	batch = max(batch, 1)
	return func(yield func(eventlog.Page, error) bool) {
		after := after
		for first := true; ; first = false {
			l.mu.Lock()
			events, grown := l.events, l.grown
			l.mu.Unlock()
			if l.isClosed() || ctx.Err() != nil {
				return
			}
			if int(after) < len(events) || first {
				page := eventlog.Page{Next: after}
				for int(page.Next) < len(events) && len(page.Events) < batch {
					if e := events[page.Next]; types == nil || slices.Contains(types, e.Type) || l.Known.Strange(e.Type, e.Version) {
						page.Events = append(page.Events, e)
					}
					page.Next++
				}
				if !yield(page, nil) {
					return
				}
				after = page.Next
				continue
			}
			select {
			case <-grown:
			case <-ctx.Done():
			case <-l.closed:
			}
		}
	}
}

// Head implements eventlog.Log.
func (l *Log) Head(context.Context) (event.Position, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return event.Position(len(l.events)), nil
}

// Close implements eventlog.Log. What was written can still be read.
func (l *Log) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.isClosed() {
		close(l.closed)
	}
	return nil
}
