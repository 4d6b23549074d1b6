package readmodel_test

import (
	"io"
	"net"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/cleversender/cleversender/adapters/eventlog"
	"github.com/cleversender/cleversender/adapters/pgtest"
	"github.com/cleversender/cleversender/adapters/readmodel"
	"github.com/cleversender/cleversender/domain"
	"github.com/cleversender/cleversender/domain/campaign"
	"github.com/cleversender/cleversender/domain/event"
	"github.com/cleversender/cleversender/domain/list"
	"github.com/cleversender/cleversender/projections/audience"
	all "github.com/cleversender/cleversender/projections/catalog"
	"github.com/cleversender/cleversender/projections/projectiontest"
)

// wire is a way to a server that can be cut.
type wire struct {
	url   string
	mu    sync.Mutex
	cut   bool
	conns []net.Conn
}

// newWire leads to the database of a URL.
func newWire(t *testing.T, database string) *wire {
	t.Helper()
	to, err := url.Parse(database)
	if err != nil {
		t.Fatal(err)
	}
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	w := &wire{}
	server := to.Host
	to.Host = l.Addr().String()
	w.url = to.String()
	go func() {
		for {
			in, err := l.Accept()
			if err != nil {
				return
			}
			if out, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", server); err == nil {
				w.join(in, out)
			}
		}
	}()
	t.Cleanup(func() { _ = l.Close(); w.set(true) })
	return w
}

func (w *wire) join(in, out net.Conn) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.cut {
		_, _ = in.Close(), out.Close()
		return
	}
	w.conns = append(w.conns, in, out)
	for _, ends := range [][2]net.Conn{{in, out}, {out, in}} {
		go func() {
			_, _ = io.Copy(ends[0], ends[1])
			_, _ = ends[0].Close(), ends[1].Close()
		}()
	}
}

func (w *wire) set(cut bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.cut = cut; cut {
		for _, c := range w.conns {
			_ = c.Close()
		}
		w.conns = nil
	}
}

// beside is another node on w's log and database.
func beside(w *world, url string) *world {
	return &world{T: w.T, log: w.log, journal: w.journal, store: inPostgres(w.T, url), people: w.people}
}

func (w *world) folds(name string) bool {
	w.Helper()
	return w.status(name).Folding
}

// Of two nodes one folds and both answer, at the position that is waited for; when the one is cut off, the other takes
// over, and the rows are those of one node alone; the one that comes back answers again, and folds nothing.
func TestSharedTakeover(t *testing.T) {
	database := pgtest.Database(t)
	cable := newWire(t, database)
	one := newWorld(t, inPostgres(t, cable.url))
	one.join(20)
	one.open(all.All...)
	one.wait()
	two := beside(one, database)
	two.open(all.All...)
	two.join(5)
	two.wait()
	two.equal(two.members(), 25)
	two.equal(one.folds("audience"), true)
	two.equal(two.folds("audience"), false)
	cable.set(true)
	two.join(5)
	two.wait()
	two.equal(two.members(), 30)
	two.equal(two.folds("audience"), true)
	cable.set(false)
	one.join(5)
	one.wait()
	one.equal(one.members(), 35)
	one.until(func() bool { return !one.folds("audience") })
	for _, w := range []*world{one, two} {
		compared, err := w.host.Compare(t.Context(), nil)
		w.ok(err)
		for _, c := range compared {
			w.equal(c.Equal(), true)
		}
	}
	two.end()
	one.join(1)
	one.wait()
	one.equal(one.members(), 36)
	one.end()
}

// Every connection of the node that folds breaks, again and again: each event counts once.
func TestSharedConnectionLoss(t *testing.T) {
	cable := newWire(t, pgtest.Database(t))
	w := newWorld(t, inPostgres(t, cable.url))
	w.open(audience.Projection)
	for range 20 {
		w.join(10)
		cable.set(true)
		cable.set(false)
	}
	w.wait()
	w.equal(w.members(), 200)
	w.end()
}

// The edition on a node that folds nothing tells as well whether what was read before still holds.
func TestSharedEdition(t *testing.T) {
	database := pgtest.Database(t)
	one := newWorld(t, inPostgres(t, database))
	one.open(all.All...)
	one.join(1)
	one.wait()
	two := beside(one, database)
	two.options.ReadOnly = true
	two.open(all.All...)
	two.join(1)
	two.wait()
	name := audience.Projection.Name
	before := two.host.Edition(name)
	id := projectiontest.ID(projectiontest.Campaign, 1)
	two.record(campaign.Stream(id), domain.ID{}, campaign.Drafted{})
	two.wait()
	two.equal(two.host.Edition(name), before)
	two.join(1)
	two.wait()
	if two.host.Edition(name) == before {
		t.Error("the edition is the same after a change")
	}
	two.equal(two.members(), 3)
	before = two.host.Edition(name)
	one.ok(one.host.Rebuild(t.Context(), name, nil))
	two.until(func() bool { return two.host.Edition(name) != before })
	two.equal(two.folds("audience"), false)
	one.end()
	two.end()
}

// A node that folds nothing rebuilds a projection while the other one folds it: nothing is lost or counted twice.
func TestSharedRebuild(t *testing.T) {
	database := pgtest.Database(t)
	one := newWorld(t, inPostgres(t, database))
	one.open(all.All...)
	two := beside(one, database)
	two.open(all.All...)
	one.join(20)
	for range 5 {
		for _, w := range []*world{two, one} {
			rebuilt := make(chan error, 1)
			go func() { rebuilt <- w.host.Rebuild(t.Context(), "audience", nil) }()
			one.join(10)
			two.ok(<-rebuilt)
		}
	}
	for _, w := range []*world{one, two} {
		w.wait()
		w.equal(w.members(), 120)
		compared, err := w.host.Compare(t.Context(), nil, "audience")
		w.ok(err)
		w.equal(compared[0].Equal(), true)
	}
	one.end()
	two.end()
}

// While a node of the older version of a projection lives, its model stays and is folded; then it goes.
func TestSharedUpgrade(t *testing.T) {
	database := pgtest.Database(t)
	one := newWorld(t, inPostgres(t, database))
	one.join(5)
	one.open(audience.Projection)
	one.wait()
	next := audience.Projection
	next.Version++
	two := beside(one, database)
	two.open(next)
	two.wait()
	two.equal(two.status("audience").Serving, next.ID())
	ids := func() string {
		ids, err := two.store.IDs(t.Context())
		two.ok(err)
		return strings.Join(ids, " ")
	}
	both := audience.Projection.ID() + " " + next.ID()
	for range 20 {
		one.join(1)
		one.wait()
		two.wait()
		one.equal(one.members(), two.members())
		one.equal(ids(), both)
	}
	one.end()
	one.ok(one.store.(io.Closer).Close())
	two.until(func() bool { return ids() == next.ID() })
	two.end()
}

// upgraded is a log whose newer events this node understands.
type upgraded struct{ *eventlog.Journal }

func (u upgraded) DecodePage(page eventlog.Page, types map[string]bool) (eventlog.RecordedPage, error) {
	events := make([]event.Stored, len(page.Events))
	for i, e := range page.Events {
		if events[i] = e; e.Version == 99 {
			events[i].Version = 1
		}
	}
	return u.Journal.DecodePage(eventlog.Page{Events: events, Next: page.Next}, types)
}

// An event that is too new for the node that folds is folded by one that understands it; the older one answers on.
func TestSharedNewer(t *testing.T) {
	database := pgtest.Database(t)
	one := newWorld(t, inPostgres(t, database))
	one.join(1)
	one.open(audience.Projection)
	one.wait()
	two := beside(one, database)
	two.options.Source = upgraded{one.journal}
	two.open(audience.Projection)
	two.wait()
	two.equal(two.folds("audience"), false)
	id := projectiontest.ID(projectiontest.List, 2)
	_, err := one.log.Append(t.Context(), eventlog.Append{Stream: list.Stream(id), Events: []event.Stored{{
		ID: id, Type: "list.created", Version: 99, Meta: event.Meta{Account: account}, Data: []byte("{}"),
	}}})
	one.ok(err)
	one.join(1)
	two.wait()
	two.equal(two.members(), 2)
	one.until(func() bool { return one.status("audience").Stopped == "" })
	one.ok(one.host.Stopped())
	one.wait()
	one.equal(one.members(), 2)
	one.end()
	two.end()
}

var _ readmodel.Source = upgraded{}

// Who waits on a node that folds nothing does not wait for events that the projection does not fold to be passed elsewhere.
func TestSharedWaitsForNothing(t *testing.T) {
	database := pgtest.Database(t)
	one := newWorld(t, inPostgres(t, database))
	one.join(3)
	one.make(audience.Projection) // it holds the model, and stands still
	one.ok(one.host.Rebuild(t.Context(), "audience", nil))
	two := beside(one, database)
	two.open(audience.Projection)
	for i := range 3 {
		id := projectiontest.ID(projectiontest.Campaign, i)
		two.record(campaign.Stream(id), domain.ID{}, campaign.Drafted{})
		two.wait()
	}
	two.equal(two.folds("audience"), false)
	two.equal(two.members(), 3)
	two.end()
	one.ok(one.host.Close())
}
