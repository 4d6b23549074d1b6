package sending_test

import (
	"context"
	"database/sql"
	"fmt"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cleversender/cleversender/adapters/sending"
	"github.com/cleversender/cleversender/domain/campaign"
	"github.com/cleversender/cleversender/domain/delivery"
	"github.com/cleversender/cleversender/domain/event"
)

// full is a log whose disk is full for a while, from its nth append on.
type full struct {
	sending.Journal
	n, most int
	lasts   time.Duration
	mu      sync.Mutex
	since   time.Time
}

func (f *full) Record(ctx context.Context, stream string, expect uint64, drafts []event.Draft) (event.Position, error) {
	f.mu.Lock()
	if f.n++; f.n == f.most {
		f.since = time.Now()
	}
	no := !f.since.IsZero() && time.Since(f.since) < f.lasts
	f.mu.Unlock()
	if no {
		return 0, errFault
	}
	return f.Journal.Record(ctx, stream, expect, drafts)
}

// The disk is full in mid-send, from any append on, for less than a lease and
// for longer: when there is room again the campaign goes on, everybody gets it
// once, and nobody is unknown.
func TestDiskFull(t *testing.T) {
	for _, lasts := range []time.Duration{5 * time.Second, 3 * time.Minute} {
		for n := 1; n <= 12; n++ {
			t.Run(fmt.Sprint("append ", n, " for ", lasts), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					w := newWorld(t, 20)
					w.sink.answer = slow(time.Second)
					w.start()
					o := w.options()
					log := &full{Journal: w.journal, most: n, lasts: lasts}
					o.Journal = log
					_, stop := run(t, o)
					defer stop()
					if is := w.finish(); is.Result != (campaign.Finished{Sent: 20}) {
						t.Errorf("finished with %+v, want all sent", is.Result)
					}
					w.once(0)
					if log.n < n {
						t.Fatalf("%d appends: the disk was never full", log.n)
					}
				})
			})
		}
	}
}

// denied counts appends that failed.
type denied struct {
	sending.Journal
	times atomic.Int64
}

func (d *denied) Record(ctx context.Context, stream string, expect uint64, drafts []event.Draft) (event.Position, error) {
	at, err := d.Journal.Record(ctx, stream, expect, drafts)
	if err != nil {
		d.times.Add(1)
	}
	return at, err
}

// The same with the real log, whose database says that it is full.
func TestDiskFullForReal(t *testing.T) {
	const people = 300
	folder := t.TempDir()
	h := openHouse(t, folder, keys{})
	defer h.close()
	account, mailing := h.fill(t, people)
	db, err := sql.Open("sqlite", "file:"+filepath.Join(folder, "events.db")+"?_pragma=busy_timeout(5000)")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	change := func(statement string) {
		if _, err := db.ExecContext(t.Context(), statement); err != nil {
			t.Error(err)
		}
	}
	mail := &sink{took: map[string]int{}}
	mail.answer = func(n int, _ string) (delivery.Reply, bool) {
		if n == people/3 {
			change("CREATE TRIGGER full BEFORE INSERT ON events BEGIN SELECT RAISE(ABORT, 'disk is full'); END")
			time.AfterFunc(500*time.Millisecond, func() { change("DROP TRIGGER full") })
		}
		return delivery.Reply{Outcome: delivery.Taken, Code: 250}, true
	}
	o, log := killOptions(h, mail), &denied{Journal: h.journal}
	o.Journal = log
	_, stop := run(t, o)
	defer stop()
	if is := h.over(t, account, mailing); is.Result != (campaign.Finished{Sent: people}) {
		t.Errorf("finished with %+v, want all sent", is.Result)
	}
	for i := range people {
		if n := mail.count(i); n != 1 {
			t.Errorf("recipient %d got %d messages", i, n)
		}
	}
	if log.times.Load() == 0 {
		t.Error("the disk was never full")
	}
}

// gate holds up everything that a worker asks for while it is shut, as if the
// process were suspended.
type gate struct {
	mu   sync.Mutex
	open chan struct{} // closed: open
}

func newGate() *gate {
	g := &gate{open: make(chan struct{})}
	close(g.open)
	return g
}

func (g *gate) pass() {
	g.mu.Lock()
	open := g.open
	g.mu.Unlock()
	<-open
}

// shut suspends for a while.
func (g *gate) shut(d time.Duration) {
	g.mu.Lock()
	g.open = make(chan struct{})
	g.mu.Unlock()
	time.Sleep(d)
	close(g.open)
}

// suspended is a worker's surroundings behind a gate.
type suspended struct {
	sending.Journal
	sending.Audience
	*sink
	gate *gate
}

func (s suspended) Record(ctx context.Context, stream string, expect uint64, drafts []event.Draft) (event.Position, error) {
	s.gate.pass()
	at, err := s.Journal.Record(ctx, stream, expect, drafts)
	s.gate.pass()
	return at, err
}

func (s suspended) WaitFor(ctx context.Context, at event.Position) error {
	s.gate.pass()
	return s.Audience.WaitFor(ctx, at)
}

func (s suspended) Send(ctx context.Context, m sending.Message) delivery.Reply {
	s.gate.pass()
	reply := s.sink.Send(ctx, m)
	s.gate.pass()
	return reply
}

// A worker is suspended for two minutes, at any moment of its work, while
// another waits for its segments: that one takes over what it left. Resumed, it
// does nobody harm: none gets two messages, and unknown are at most its windows.
func TestAPausedWorker(t *testing.T) {
	for at := range 25 {
		at := time.Duration(at) * 37 * time.Millisecond
		t.Run(at.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, 40)
				w.sink.answer = slow(100 * time.Millisecond)
				w.start()
				o, g := w.options(), newGate()
				s := suspended{o.Journal, o.Audience, w.sink, g}
				o.Journal, o.Audience, o.Transport = s, s, s
				_, stop := run(t, o)
				defer stop()
				time.Sleep(at)
				_, stopOther := run(t, w.options())
				defer stopOther()
				g.shut(2 * time.Minute)
				if n := w.sink.total(); n < 40-2*3 {
					t.Errorf("%d messages while one worker was suspended: nobody took over", n)
				}
				w.finish()
				w.once(2 * 3)
			})
		})
	}
}

// wrong is the log of a worker whose clock is wrong by so much, as far as the
// log and the others can tell.
type wrong struct {
	sending.Journal
	by time.Duration
}

func (c wrong) Record(ctx context.Context, stream string, expect uint64, drafts []event.Draft) (event.Position, error) {
	for i, d := range drafts {
		if claim, ok := d.Data.(delivery.Claimed); ok {
			claim.Until = claim.Until.Add(c.by)
			drafts[i].Data = claim
		}
	}
	return c.Journal.Record(ctx, stream, expect, drafts)
}

// A worker's clock is an hour fast or slow, so that it and another both believe
// to hold a segment, or neither does: nobody gets two messages, everybody is
// accounted for, and the campaign comes to its end.
func TestAWrongClock(t *testing.T) {
	for _, by := range []time.Duration{-time.Hour, time.Hour} {
		t.Run(by.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, 60)
				w.sink.answer = slow(100 * time.Millisecond)
				w.start()
				for _, log := range []sending.Journal{wrong{w.journal, by}, w.journal} {
					o := w.options()
					o.Journal = log
					_, stop := run(t, o)
					defer stop()
				}
				w.finish()
				w.once(60)
			})
		})
	}
}
