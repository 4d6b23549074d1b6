package eventstoredb_test

import (
	"context"
	"iter"
	"os"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/cleversender/cleversender/adapters/eventlog"
	"github.com/cleversender/cleversender/adapters/eventlog/eventstoredb"
	"github.com/cleversender/cleversender/adapters/eventlog/eventstoredb/esdbtest"
	"github.com/cleversender/cleversender/adapters/eventlog/logtest"
	"github.com/cleversender/cleversender/domain/event"
)

// A database that has events already keeps the same promises: EVENTSTOREDB_URL
// names a real one, that nobody else writes to meanwhile.
func TestItKeepsThemInADatabaseThatIsNotEmpty(t *testing.T) {
	used := esdbtest.Start(t, 3, esdbtest.MaxAppendSize(eventstoredb.MaxAppendSize))
	add(t, open(t, used.URL()), "before", 0, 20)
	urls := map[string]string{"double": used.URL()}
	if real := os.Getenv("EVENTSTOREDB_URL"); real != "" {
		urls["real"] = real
	}
	for name, url := range urls {
		t.Run(name, func(t *testing.T) {
			views := map[string]view{}
			logtest.Run(t, logtest.Adapter{Durable: true, Sparse: true, Open: func(t testing.TB, dir string) eventlog.Log {
				v, known := views[dir]
				v.Log = open(t, url)
				if !known {
					base, err := v.Head(t.Context())
					if err != nil {
						t.Fatal(err)
					}
					v.base, v.prefix = base, "test-"+uuid.NewString()+"-"
					views[dir] = v
				}
				return v
			}})
		})
	}
}

// view is a log as if it began at base, with stream names of its own.
type view struct {
	eventlog.Log
	base   event.Position
	prefix string
}

func (v view) in(a eventlog.Append) eventlog.Append {
	if a.Stream != "" {
		a.Stream = v.prefix + a.Stream
	}
	return a
}

func (v view) out(events []event.Stored) []event.Stored {
	named := make([]event.Stored, len(events)) // pages are shared
	for i, e := range events {
		e.Stream = strings.TrimPrefix(e.Stream, v.prefix)
		named[i] = e
	}
	return named
}

func (v view) from(p event.Position) event.Position {
	if p <= v.base {
		return 0
	}
	return p
}

func (v view) Append(ctx context.Context, a eventlog.Append) (eventlog.Result, error) {
	return v.Log.Append(ctx, v.in(a))
}

func (v view) AppendBulk(ctx context.Context, as []eventlog.Append) ([]eventlog.Result, []error) {
	named := make([]eventlog.Append, len(as))
	for i := range as {
		named[i] = v.in(as[i])
	}
	return v.Log.AppendBulk(ctx, named)
}

func (v view) ReadStream(ctx context.Context, stream string, skip uint64, batch int) iter.Seq2[[]event.Stored, error] {
	return func(yield func([]event.Stored, error) bool) {
		for events, err := range v.Log.ReadStream(ctx, v.prefix+stream, skip, batch) {
			if !yield(v.out(events), err) {
				return
			}
		}
	}
}

func (v view) ReadAt(ctx context.Context, positions []event.Position) ([]event.Stored, error) {
	events, err := v.Log.ReadAt(ctx, positions)
	if len(events) == 0 {
		return nil, err
	}
	return v.out(events), err
}

func (v view) Follow(ctx context.Context, after event.Position, types []string, batch int) iter.Seq2[eventlog.Page, error] {
	return func(yield func(eventlog.Page, error) bool) {
		for page, err := range v.Log.Follow(ctx, max(after, v.base), types, batch) {
			page.Next = v.from(page.Next)
			if page.Events != nil {
				page.Events = v.out(page.Events)
			}
			if !yield(page, err) {
				return
			}
		}
	}
}

func (v view) Head(ctx context.Context) (event.Position, error) {
	head, err := v.Log.Head(ctx)
	return v.from(head), err
}
