package outbox_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/cleversender/cleversender/adapters/sending"
	"github.com/cleversender/cleversender/adapters/sending/outbox"
	"github.com/cleversender/cleversender/domain/delivery"
	"github.com/cleversender/cleversender/domain/event"
	"github.com/cleversender/cleversender/domain/message"
)

var errFault = errors.New("disk on fire")

// faulty fails one append or one load of a worker, an append before or after
// it is done. From a crash on it does nothing any more, and nor does the
// worker's transport.
type faulty struct {
	outbox.Journal
	mu      sync.Mutex
	appends int
	loads   int
	fail    int  // the how manyth append
	unread  int  // the how manyth load
	done    bool // it is done all the same
	crash   bool
	dead    bool
	kill    func() // the worker
}

// Record implements commands.Log.
func (f *faulty) Record(ctx context.Context, stream string, expect uint64, drafts []event.Draft) (event.Position, error) {
	f.mu.Lock()
	f.appends++
	failing := f.appends == f.fail
	if f.dead {
		f.mu.Unlock()
		return 0, errFault
	}
	if failing && f.crash {
		f.dead = true
		defer f.kill()
	}
	f.mu.Unlock()
	if failing && !f.done {
		return 0, errFault
	}
	at, err := f.Journal.Record(ctx, stream, expect, drafts)
	if failing {
		return 0, errFault
	}
	return at, err
}

// Load implements commands.Log.
func (f *faulty) Load(ctx context.Context, stream string) ([]event.Recorded, error) {
	f.mu.Lock()
	f.loads++
	failing := f.loads == f.unread
	f.mu.Unlock()
	if failing {
		return nil, errFault
	}
	return f.Journal.Load(ctx, stream)
}

func (f *faulty) die() {
	f.mu.Lock()
	f.dead = true
	f.mu.Unlock()
	f.kill()
}

// wire is the transport of a worker that may die.
type wire struct {
	*sink
	f *faulty
}

// Send implements sending.Transport.
func (w wire) Send(ctx context.Context, m sending.Message) delivery.Reply {
	w.f.mu.Lock()
	dead := w.f.dead
	w.f.mu.Unlock()
	if dead {
		return delivery.Reply{}
	}
	return w.sink.Send(ctx, m)
}

const several = 5

// failing runs a worker that has a fault, and another one after it when the
// first died of that; it returns how many appends and loads the first made.
func failing(t *testing.T, w *world, f *faulty) (appends, loads int) {
	ask(w, several)
	ctx, kill := context.WithCancel(context.Background())
	f.Journal, f.kill = w.journal, kill
	o := w.options()
	o.Journal, o.Transport = f, wire{w.sink, f}
	var ran sync.WaitGroup
	ran.Go(func() { _ = outbox.New(o).Run(ctx) })
	if f.crash {
		<-ctx.Done()
		ran.Wait()
		defer run(t, w.options())()
	}
	w.settled(several)
	kill()
	ran.Wait()
	return f.appends, f.loads
}

// once checks that everybody got their message once, or not and it is unknown.
func (w *world) once(maxUnknown int) {
	w.t.Helper()
	unknown := 0
	for i := range several {
		status, got := w.state(i).Status, w.sink.count(i)
		switch {
		case status == message.InDoubt && got <= 1:
			unknown++
		case status != message.Sent || got != 1:
			w.t.Errorf("message %d is %s and was taken %d times", i, status, got)
		}
	}
	if unknown > maxUnknown {
		w.t.Errorf("%d unknown, want at most %d", unknown, maxUnknown)
	}
}

// Every append fails once: not done, and done all the same. Everybody gets
// their message once.
func TestEveryAppendFails(t *testing.T) { everyAppend(t, false, 0) }

// The worker dies at every append: before it, and right after it. Nobody gets a
// message twice; unknown are at most those that were under way.
func TestTheWorkerDiesAtEveryAppend(t *testing.T) { everyAppend(t, true, 2) }

func everyAppend(t *testing.T, crash bool, maxUnknown int) {
	for _, done := range []bool{false, true} {
		appends := 1
		for n := 1; n <= appends; n++ {
			t.Run(fmt.Sprintf("append %d, done %t", n, done), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					if n == 1 {
						appends, _ = failing(t, newWorld(t), &faulty{})
					}
					w := newWorld(t)
					failing(t, w, &faulty{fail: n, done: done, crash: crash})
					w.once(maxUnknown)
				})
			})
		}
		if appends != 2*several {
			t.Errorf("%d appends, want two a message", appends)
		}
	}
}

// Every load fails once: everybody gets their message all the same.
func TestEveryLoadFails(t *testing.T) {
	loads := 1
	for n := 1; n <= loads; n++ {
		synctest.Test(t, func(t *testing.T) {
			if n == 1 {
				_, loads = failing(t, newWorld(t), &faulty{})
			}
			w := newWorld(t)
			failing(t, w, &faulty{unread: n})
			w.once(0)
		})
	}
}

// Every transmission fails once, in each way that it can.
func TestEverySendFails(t *testing.T) {
	for name, way := range map[string]struct {
		reply delivery.Reply
		taken bool
		want  message.Status
		got   int
	}{
		"nothing left":               {delivery.Reply{Outcome: delivery.NotSent}, false, message.Sent, 1},
		"deferred":                   {delivery.Reply{Outcome: delivery.NotNow, Code: 451}, false, message.Sent, 1},
		"deferred by nobody":         {delivery.Reply{Outcome: delivery.NotNow}, false, message.Sent, 1},
		"refused":                    {delivery.Reply{Outcome: delivery.Never, Code: 550, Text: "no"}, false, message.Undelivered, 0},
		"the reply is lost":          {delivery.Reply{}, true, message.InDoubt, 1},
		"message and reply are lost": {delivery.Reply{}, false, message.InDoubt, 0},
	} {
		for n := 1; n <= several; n++ {
			t.Run(fmt.Sprintf("%s, send %d", name, n), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					w, struck := newWorld(t), ""
					w.sink.answer = func(k int, to string) (delivery.Reply, bool) {
						if k == n {
							struck = to
							return way.reply, way.taken
						}
						return yes, true
					}
					ask(w, several)
					defer run(t, w.options())()
					w.settled(several)
					for i := range several {
						want, got := message.Sent, 1
						if address(i) == struck {
							want, got = way.want, way.got
						}
						if s := w.state(i).Status; s != want || w.sink.count(i) != got {
							t.Errorf("message %d is %s and was taken %d times, want %s and %d", i, s, w.sink.count(i), want, got)
						}
					}
				})
			})
		}
	}
}

// The worker dies at every transmission, after the server took the message.
func TestTheWorkerDiesAtEverySend(t *testing.T) {
	for n := 1; n <= several; n++ {
		synctest.Test(t, func(t *testing.T) {
			w, f := newWorld(t), &faulty{crash: true}
			w.sink.answer = func(k int, _ string) (delivery.Reply, bool) {
				if k == n {
					f.die()
				}
				return yes, true
			}
			failing(t, w, f)
			w.once(2)
		})
	}
}
