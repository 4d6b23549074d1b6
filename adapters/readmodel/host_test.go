package readmodel_test

import (
	"context"
	"crypto/cipher"
	"errors"
	"fmt"
	"iter"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ThreeDotsLabs/watermill/message"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/cleversender/cleversender/adapters/bus"
	"github.com/cleversender/cleversender/adapters/eventlog"
	logs "github.com/cleversender/cleversender/adapters/eventlog/memory"
	"github.com/cleversender/cleversender/adapters/pgtest"
	"github.com/cleversender/cleversender/adapters/readmodel"
	models "github.com/cleversender/cleversender/adapters/readmodel/memory"
	"github.com/cleversender/cleversender/adapters/readmodel/postgres"
	"github.com/cleversender/cleversender/adapters/readmodel/sqlite"
	"github.com/cleversender/cleversender/domain"
	"github.com/cleversender/cleversender/domain/campaign"
	"github.com/cleversender/cleversender/domain/catalog"
	"github.com/cleversender/cleversender/domain/event"
	"github.com/cleversender/cleversender/domain/list"
	"github.com/cleversender/cleversender/domain/personal"
	"github.com/cleversender/cleversender/domain/subscriber"
	"github.com/cleversender/cleversender/projections"
	"github.com/cleversender/cleversender/projections/audience"
	all "github.com/cleversender/cleversender/projections/catalog"
	"github.com/cleversender/cleversender/projections/projectiontest"
)

var (
	account = projectiontest.ID(projectiontest.Account, 0)
	aList   = projectiontest.ID(projectiontest.List, 0)
)

func TestMain(m *testing.M) {
	readmodel.SweepAfter(10 * time.Millisecond)
	os.Exit(pgtest.Main(m))
}

// noKeys: nothing personal is recorded here.
type noKeys struct{}

func (noKeys) Ensure(context.Context, []personal.KeyRef) ([]cipher.AEAD, error) {
	return nil, errors.ErrUnsupported
}

func (noKeys) Lookup(context.Context, []personal.KeyRef) ([]cipher.AEAD, error) {
	return nil, errors.ErrUnsupported
}

// world is a log and a host over it.
type world struct {
	*testing.T
	log     eventlog.Log
	journal *eventlog.Journal
	store   readmodel.Store
	host    *readmodel.Host
	options readmodel.Options // Source and ReadOnly, when they are not the usual
	people  *int              // on the list; shared by all nodes
	gate    chan struct{}     // taken for each page that goes to a projection; nil: open
	read    chan struct{}     // given for each page that waits at the gate
	end     func()
}

func newWorld(t *testing.T, store readmodel.Store) *world {
	w := &world{T: t, log: logs.New(), store: store, people: new(int)}
	w.journal = eventlog.NewJournal(w.log, catalog.All, noKeys{}, time.Now)
	w.record(list.Stream(aList), domain.ID{}, list.Created{Name: "list"})
	return w
}

func (w *world) ok(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

func (w *world) open(ps ...projections.Projection) {
	w.Helper()
	w.make(ps...)
	w.run()
}

// make opens the models of projections; nothing moves yet.
func (w *world) make(ps ...projections.Projection) {
	w.Helper()
	o := w.options
	if o.Source == nil {
		o.Source = w.journal
	}
	o.Store, o.Projections = w.store, ps
	o.Subscriber = func(f readmodel.Follow) message.Subscriber { return bus.NewLogSubscriber(w.gated(f)) }
	var err error
	w.host, err = readmodel.NewHost(w.Context(), o)
	w.ok(err)
}

// run lets the host follow until end.
func (w *world) run() {
	ctx, cancel := context.WithCancel(w.Context())
	done := make(chan error, 1)
	go func() { done <- w.host.Run(ctx) }()
	w.end = func() {
		w.Helper()
		cancel()
		w.ok(<-done)
		w.ok(w.host.Close())
	}
}

// gated holds pages back that have been read already.
func (w *world) gated(follow readmodel.Follow) readmodel.Follow {
	gate := w.gate
	if gate == nil {
		return follow
	}
	return func(ctx context.Context, topic string) iter.Seq2[eventlog.RecordedPage, error] {
		return func(yield func(eventlog.RecordedPage, error) bool) {
			for page, err := range follow(ctx, topic) {
				select {
				case w.read <- struct{}{}:
				default:
				}
				select {
				case <-gate:
				case <-ctx.Done():
					return
				}
				if !yield(page, err) {
					return
				}
			}
		}
	}
}

func (w *world) record(stream string, subject domain.ID, events ...any) {
	w.Helper()
	var at uint64
	for batch, err := range w.log.ReadStream(w.Context(), stream, 0, 100) {
		w.ok(err)
		at += uint64(len(batch))
	}
	drafts := make([]event.Draft, len(events))
	for i, data := range events {
		id := domain.ID{1}.Derive(fmt.Sprint(stream, at, i))
		drafts[i] = event.Draft{ID: id, Meta: event.Meta{Account: account, Subject: subject}, Data: data}
	}
	_, err := w.journal.Append(w.Context(), stream, at, drafts...)
	w.ok(err)
}

// join adds n people to the list.
func (w *world) join(n int) {
	w.Helper()
	for range n {
		*w.people++
		id := projectiontest.ID(projectiontest.Person, *w.people)
		w.record(subscriber.Stream(id), id, subscriber.Added{Source: subscriber.SourceAPI}, subscriber.Joined{List: aList})
	}
}

func (w *world) wait() event.Position {
	w.Helper()
	head, err := w.journal.Head(w.Context())
	w.ok(err)
	ctx, cancel := context.WithTimeout(w.Context(), 20*time.Second)
	defer cancel()
	w.ok(w.host.WaitAll(ctx, head))
	return head
}

// until waits for what comes true by itself.
func (w *world) until(ok func() bool) {
	w.Helper()
	for end := time.Now().Add(20 * time.Second); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			w.Fatal("it has not come true")
		}
	}
}

// members is how many the list has, as the host answers.
func (w *world) members() int {
	w.Helper()
	l, _, err := audience.FindList(w.Context(), w.host.Reader("audience"), account, aList)
	w.ok(err)
	return l.Counts.Members
}

func (w *world) status(name string) readmodel.Status {
	w.Helper()
	st, err := w.host.Status(w.Context())
	w.ok(err)
	return st[slices.IndexFunc(st, func(s readmodel.Status) bool { return s.Name == name })]
}

func (w *world) metric(name, projection string) float64 {
	w.Helper()
	registry := prometheus.NewRegistry()
	registry.MustRegister(w.host.Collector())
	families, err := registry.Gather()
	w.ok(err)
	for _, f := range families {
		for _, m := range f.GetMetric() {
			if f.GetName() == name && m.GetLabel()[0].GetValue() == projection {
				return m.GetGauge().GetValue()
			}
		}
	}
	w.Fatalf("no %s of %s", name, projection)
	return 0
}

func (w *world) equal(got, want any) {
	w.Helper()
	if got != want {
		w.Fatalf("got %v, want %v", got, want)
	}
}

func eachStore(t *testing.T, test func(*world)) {
	t.Run("memory", func(t *testing.T) { test(newWorld(t, models.New())) })
	t.Run("sqlite", func(t *testing.T) {
		s, err := sqlite.New(t.TempDir())
		if err != nil {
			t.Fatal(err)
		}
		test(newWorld(t, s))
	})
	t.Run("postgres", func(t *testing.T) { test(newWorld(t, inPostgres(t, pgtest.Database(t)))) })
}

func inPostgres(t testing.TB, url string) *postgres.Store {
	t.Helper()
	s, err := postgres.New(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// Who waits for a position reads what was recorded before it; after a restart the host goes on from where it was.
func TestHostFollows(t *testing.T) {
	eachStore(t, func(w *world) {
		w.join(20)
		w.open(all.All...)
		w.wait()
		w.equal(w.members(), 20)
		w.join(5)
		w.wait()
		w.equal(w.members(), 25)
		w.end()
		w.join(5)
		w.open(all.All...)
		head := w.wait()
		w.equal(w.members(), 30)
		w.equal(w.status("audience").Lag, uint64(0))
		w.end()
		for _, p := range all.All { // pages without a match count too
			m, err := w.store.Open(t.Context(), p.ID(), p.Tables)
			w.ok(err)
			at, err := m.Position(t.Context())
			w.ok(err)
			w.equal(at, head)
			w.ok(m.Close())
		}
	})
}

// The edition tells whoever has waited whether what they read before still holds.
func TestHostEdition(t *testing.T) {
	eachStore(t, func(w *world) {
		name := audience.Projection.Name
		w.open(all.All...)
		w.join(1)
		w.wait()
		before := w.host.Edition(name)
		id := projectiontest.ID(projectiontest.Campaign, 1)
		w.record(campaign.Stream(id), domain.ID{}, campaign.Drafted{})
		w.wait()
		w.equal(w.host.Edition(name), before)
		w.join(1)
		w.wait()
		if w.host.Edition(name) == before {
			w.Error("the edition is the same after a change")
		}
		w.end()
	})
}

// What is rebuilt equals what is live, while events keep coming and readers keep reading.
func TestHostRebuildsBeside(t *testing.T) {
	eachStore(t, func(w *world) {
		w.join(50)
		w.open(all.All...)
		stop, reading := make(chan struct{}), make(chan error, 1)
		go func() {
			for {
				select {
				case <-stop:
					reading <- nil
					return
				default:
				}
				if _, _, err := audience.FindList(w.Context(), w.host.Reader("audience"), account, aList); err != nil {
					reading <- err
					return
				}
			}
		}()
		for range 3 {
			w.join(10)
			w.ok(w.host.Rebuild(w.Context(), "audience", nil))
		}
		var last, of event.Position
		w.ok(w.host.RebuildAll(w.Context(), func(done, head event.Position) { last, of = done, head }))
		w.equal(last, of)
		w.join(10)
		w.wait()
		close(stop)
		w.ok(<-reading)
		w.equal(w.members(), 90)
		compared, err := w.host.Compare(w.Context(), nil)
		w.ok(err)
		w.equal(len(compared), len(all.All))
		for _, c := range compared {
			w.equal(c.Equal(), true)
		}
		ids, err := w.store.IDs(w.Context())
		w.ok(err)
		w.equal(len(ids), len(all.All))
		w.end()
	})
}

// A comparison finds a row that is not what the log says.
func TestHostComparesRows(t *testing.T) {
	w := newWorld(t, models.New())
	w.join(3)
	w.open(all.All...)
	at := w.wait()
	w.end()
	p := audience.Projection
	m, err := w.store.Open(t.Context(), p.ID(), p.Tables)
	w.ok(err)
	w.ok(m.Apply(t.Context(), readmodel.Batch{From: at, Next: at, Fold: func(r projections.Rows) error {
		return r.Delete(p.Tables[1])
	}}))
	w.open(all.All...)
	compared, err := w.host.Compare(t.Context(), nil, "audience")
	w.ok(err)
	w.equal(compared[0].Equal(), false)
	w.end()
}

// A page that was read before a rebuild went past it changes nothing; a comparison looks no further than the live model has come.
func TestHostBehindItsRebuild(t *testing.T) {
	eachStore(t, func(w *world) {
		w.join(10)
		w.gate = make(chan struct{})
		w.open(audience.Projection)
		for range 2 {
			compared, err := w.host.Compare(t.Context(), nil)
			w.ok(err)
			w.equal(compared[0].Equal(), true)
			w.ok(w.host.Rebuild(t.Context(), "audience", nil))
			w.equal(w.members(), 10)
		}
		w.gate <- struct{}{}
		w.join(10)
		compared, err := w.host.Compare(t.Context(), nil)
		w.ok(err)
		w.equal(compared[0].Equal(), true)
		close(w.gate)
		w.wait()
		w.equal(w.members(), 20)
		w.end()
	})
}

// What a rebuild has taken in already is left out of a page that began before.
func TestHostAheadOfItsPage(t *testing.T) {
	eachStore(t, func(w *world) {
		w.join(10)
		w.gate, w.read = make(chan struct{}), make(chan struct{}, 1)
		w.make(audience.Projection)
		w.ok(w.host.Rebuild(t.Context(), "audience", func(event.Position, event.Position) {
			w.join(10)
			w.run()
			<-w.read
		}))
		w.equal(w.members(), 10)
		close(w.gate)
		w.wait()
		w.equal(w.members(), 20)
		w.end()
	})
}

// A new version with the same tables is built while the old one serves; WaitFor waits for the new one.
func TestHostUpgrades(t *testing.T) {
	eachStore(t, func(w *world) {
		w.join(5)
		w.open(audience.Projection)
		w.wait()
		w.end()
		w.join(4500) // more than a page
		next := audience.Projection
		next.Version++
		upgraded := fmt.Sprint("audience_v", next.Version)
		first, hold := make(chan struct{}), make(chan struct{})
		fold, pages := next.Fold, 0
		next.Fold = func(rows projections.Rows, page []event.Recorded) error {
			if pages++; pages == 2 {
				close(first)
				<-hold
			}
			return fold(rows, page)
		}
		w.open(next)
		<-first
		w.equal(w.members(), 5)
		soon, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
		defer cancel()
		w.equal(w.host.WaitFor(soon, "audience", 1), context.DeadlineExceeded)
		close(hold)
		w.wait()
		w.equal(w.members(), 4505)
		w.equal(w.status("audience").Serving, upgraded)
		w.until(func() bool {
			ids, err := w.store.IDs(t.Context())
			w.ok(err)
			return strings.Join(ids, " ") == upgraded
		})
		w.end()
	})
}

// An event that cannot be read is listed by reference, and the rest goes on; one from a newer version stops those
// that follow its type, with what came before it folded.
func TestHostPoisonAndNewer(t *testing.T) {
	eachStore(t, func(w *world) {
		w.join(1)
		id := projectiontest.ID(projectiontest.List, 1)
		raw := func(stream string, version int, data string) event.Position {
			r, err := w.log.Append(t.Context(), eventlog.Append{Stream: stream, Events: []event.Stored{{
				ID: id.Derive(stream), Type: "list.created", Version: version, At: time.Now(), Meta: event.Meta{Account: account}, Data: []byte(data),
			}}})
			w.ok(err)
			return r.Position
		}
		poison := raw(list.Stream(id), 1, "not JSON")
		w.join(1)
		w.open(all.All...)
		w.wait()
		w.equal(w.members(), 2)
		w.ok(w.host.Stopped())
		listed, err := w.host.Poison(t.Context(), "audience", 10)
		w.ok(err)
		w.equal(len(listed), 1)
		w.equal(listed[0].Position, poison)
		before, err := w.journal.Head(t.Context())
		w.ok(err)
		newer := raw(list.Stream(projectiontest.ID(projectiontest.List, 2)), 99, "{}")
		w.join(1)
		err = w.host.WaitFor(t.Context(), "audience", newer)
		w.equal(errors.Is(err, event.ErrNewer), true)
		st := w.status("audience")
		w.equal(st.Position, before)
		w.equal(strings.Contains(st.Stopped, "newer version"), true)
		w.equal(st.Poison, 1)
		err = w.host.WaitFor(t.Context(), "subject_index", newer) // which asks for the envelope only
		w.equal(errors.Is(err, event.ErrNewer), true)
		w.equal(errors.Is(w.host.Stopped(), event.ErrNewer), true)
		w.equal(w.metric("cleversender_projection_stopped", "audience"), 1.)
		w.equal(w.metric("cleversender_projection_stopped", "messages"), 0.)
		w.end()
	})
}

// A fold that fails or panics leaves rows and position as they were, and gets its page again until it succeeds.
func TestHostRetries(t *testing.T) {
	eachStore(t, func(w *world) {
		w.join(3)
		p := audience.Projection
		fold, tries := p.Fold, 0
		p.Fold = func(rows projections.Rows, page []event.Recorded) error {
			if err := fold(rows, page); err != nil {
				return err
			}
			switch tries++; tries {
			case 1:
				panic("broken")
			case 2, 3, 4, 5, 6, 7:
				return errors.New("broken")
			}
			return nil
		}
		w.open(p)
		w.wait()
		w.equal(w.members(), 3)
		w.equal(w.status("audience").Failing, "")
		w.end()
	})
}
