// Package logtest is what every event log promises, each promise a named case.
//
// An adapter's test calls Run; a log that passes can stand in for any other.
package logtest

import (
	"context"
	"encoding/binary"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/cleversender/cleversender/adapters/eventlog"
	"github.com/cleversender/cleversender/domain"
	"github.com/cleversender/cleversender/domain/event"
)

// Adapter is a log under test.
type Adapter struct {
	// Open opens the log kept in dir; it fails the test when it cannot.
	Open func(t testing.TB, dir string) eventlog.Log
	// Knowing opens it for software that can read so much; nil: not asked.
	Knowing func(t testing.TB, dir string, known eventlog.Known) eventlog.Log
	// Durable: opened again in the same dir, the log is as it was.
	Durable bool
	// Sparse: positions have gaps. Otherwise the n-th event is at position n.
	Sparse bool
}

// Run tests every promise on a new log each.
func Run(t *testing.T, a Adapter) {
	if a.Knowing != nil {
		t.Run("what is not known passes every filter", func(t *testing.T) { strange(t, a) })
	}
	for _, group := range [][]promise{appending, bulk, reading, following, lasting} {
		for _, p := range group {
			t.Run(p.name, func(t *testing.T) {
				if p.durable && !a.Durable {
					return
				}
				f := &fixture{T: t, adapter: a, dir: t.TempDir()}
				f.open()
				t.Cleanup(func() { _ = f.log.Close() })
				p.test(f)
			})
		}
	}
}

type promise struct {
	name    string
	durable bool // asked of durable logs only
	test    func(f *fixture)
}

type fixture struct {
	*testing.T
	adapter Adapter
	dir     string
	log     eventlog.Log
	known   []event.Position // places, as far as they have been asked for
}

func (f *fixture) open() {
	f.Helper()
	f.log = f.adapter.Open(f, f.dir)
}

func (f *fixture) reopen() {
	f.Helper()
	if err := f.log.Close(); err != nil {
		f.Fatalf("close: %v", err)
	}
	f.open()
}

// Events makes n events with ids that derive from name: the same call, the same events.
func Events(name string, n int) []event.Stored {
	events := make([]event.Stored, n)
	for i := range events {
		id := domain.ID{1}.Derive(fmt.Sprintf("%s/%d", name, i))
		events[i] = event.Stored{
			ID: id, Type: "thing.happened", Version: 1,
			At:   time.Date(2026, 1, 2, 3, 4, 5, 6000, time.UTC),
			Meta: event.Meta{Account: domain.ID{2}, Correlation: id},
			Data: fmt.Appendf(nil, `{"name":%q,"n":%d}`, name, i),
		}
	}
	return events
}

// ID makes a different id for each n, in order.
func ID(n uint64) (id domain.ID) {
	binary.BigEndian.PutUint64(id[8:], n)
	return id
}

func (f *fixture) append(stream string, expect uint64, events []event.Stored) eventlog.Result {
	f.Helper()
	r, err := f.log.Append(f.Context(), eventlog.Append{Stream: stream, Expect: expect, Events: events})
	if err != nil {
		f.Fatalf("append to %s: %v", stream, err)
	}
	return r
}

func (f *fixture) head() event.Position {
	f.Helper()
	head, err := f.log.Head(f.Context())
	if err != nil {
		f.Fatalf("head: %v", err)
	}
	return head
}

// places is where the events are: the n-th at places[n], and 0 before the first.
func (f *fixture) places() []event.Position {
	f.Helper()
	all := []event.Position{0}
	for _, e := range f.caughtUp(0, nil, 1000) {
		all = append(all, e.Position)
	}
	return all
}

// at is where the n-th event is; a log that has fewer fails the test.
func (f *fixture) at(n int) event.Position {
	f.Helper()
	if !f.adapter.Sparse {
		return event.Position(n)
	}
	if len(f.known) <= n {
		f.known = f.places()
	}
	if len(f.known) <= n {
		f.Fatalf("the log holds %d events, and not %d", len(f.known)-1, n)
	}
	return f.known[n]
}

// last is the result of the append that wrote a stream's last event.
func (f *fixture) last(stream string) eventlog.Result {
	f.Helper()
	events := f.stream(stream)
	e := events[len(events)-1]
	return eventlog.Result{Position: e.Position, Revision: e.Revision}
}

// stream reads a stream as a whole.
func (f *fixture) stream(name string) (all []event.Stored) {
	f.Helper()
	for batch, err := range f.log.ReadStream(f.Context(), name, 0, 100) {
		if err != nil {
			f.Fatalf("read %s: %v", name, err)
		}
		all = append(all, batch...)
	}
	return all
}

// caughtUp follows from a position until what is now the head.
func (f *fixture) caughtUp(after event.Position, types []string, batch int) (all []event.Stored) {
	f.Helper()
	head := f.head()
	for page, err := range f.log.Follow(f.Context(), after, types, batch) {
		if err != nil {
			f.Fatalf("follow: %v", err)
		}
		all = append(all, page.Events...)
		if page.Next >= head {
			break
		}
	}
	return all
}

func (f *fixture) equal(what string, got, want any) {
	f.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		f.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

// within fails the test unless f ends soon.
func (f *fixture) within(what string, do func(ctx context.Context)) {
	f.Helper()
	ctx, cancel := context.WithTimeout(f.Context(), 30*time.Second)
	defer cancel()
	do(ctx)
	if ctx.Err() != nil {
		f.Fatalf("%s: not within 30 seconds", what)
	}
}

func ids(events []event.Stored) []string {
	out := make([]string, len(events))
	for i, e := range events {
		out[i] = e.ID.String()
	}
	return out
}
