package sending_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cleversender/cleversender/adapters/sending"
	"github.com/cleversender/cleversender/domain/campaign"
	"github.com/cleversender/cleversender/domain/consent"
	"github.com/cleversender/cleversender/domain/delivery"
	"github.com/cleversender/cleversender/domain/event"
	"github.com/cleversender/cleversender/domain/subscriber"
)

var errFault = errors.New("disk on fire")

// faulty fails one append of a worker: before or after it is done. From a
// crash on it does nothing any more, and nor does the worker's transport.
type faulty struct {
	sending.Journal
	mu      sync.Mutex
	appends int
	fail    int  // the how manyth
	done    bool // it is done all the same
	crash   bool
	dead    bool
	kill    func() // the worker
}

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

func (f *faulty) died() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.dead
}

// wire is the transport of a worker that may die.
type wire struct {
	*sink
	f *faulty
}

func (w wire) Send(ctx context.Context, m sending.Message) delivery.Reply {
	if w.f.died() {
		return delivery.Reply{}
	}
	return w.sink.Send(ctx, m)
}

const crowd = 7

// failing runs a worker whose nth append fails, and another one after it when
// the first died of that; it returns how many appends the first made.
func failing(t *testing.T, w *world, n int, done, crash bool) int {
	again := &late{Journal: w.journal, do: func() {
		w.revoke(0)
		w.append(subscriber.Stream(w.people[0]), w.people[0],
			consent.Given{Purpose: consent.Mailing, List: w.list, Method: consent.ByAPI})
	}}
	f := &faulty{Journal: again, fail: n, done: done, crash: crash}
	o := w.options()
	o.Journal, o.Transport = f, wire{w.sink, f}
	w.start()
	ctx, kill := context.WithCancel(context.Background())
	f.kill = kill
	var ran sync.WaitGroup
	ran.Go(func() { _ = sending.New(o).Run(ctx) })
	if crash {
		for ctx.Err() == nil && !w.state().Over() { // in this run it may take fewer appends
			time.Sleep(100 * time.Millisecond)
		}
		kill()
		ran.Wait()
		_, stop := run(t, w.options())
		defer stop()
	}
	w.finish()
	kill()
	ran.Wait()
	return f.appends
}

// once checks that everybody got the campaign once, or not and it is unknown.
func (w *world) once(maxUnknown int) {
	w.t.Helper()
	is := w.state()
	got := 0
	for i := range w.people {
		n := w.sink.count(i)
		if n > 1 {
			w.t.Errorf("recipient %d got %d messages", i, n)
		}
		got += n
	}
	r := is.Result
	if is.Status != campaign.Done || r.Sent+r.Withheld+r.Failed+r.Unknown != len(w.people) {
		w.t.Errorf("%s with %+v, want %d people accounted for", is.Status, r, len(w.people))
	}
	if r.Unknown > maxUnknown {
		w.t.Errorf("%d unknown, want at most %d", r.Unknown, maxUnknown)
	}
	if got < r.Sent || got > r.Sent+r.Unknown {
		w.t.Errorf("%d messages were taken; finished with %+v", got, r)
	}
}

// Every append of a campaign fails once: not done, and done all the same.
// Everybody gets the campaign once.
func TestEveryAppendFails(t *testing.T) {
	everyAppend(t, false, 0)
}

// The worker dies at every append: before it, and right after it. Nobody gets
// the campaign twice; unknown are at most the windows of the segments in work.
func TestTheWorkerDiesAtEveryAppend(t *testing.T) {
	everyAppend(t, true, 2*3)
}

// troubled is a world that takes every step there is: somebody has revoked, the
// server defers one message, refuses one, and has the connection break for one;
// failing has somebody agree anew in mid-send.
func troubled(t *testing.T) *world {
	w := newWorld(t, crowd)
	w.revoke(1)
	var asked sync.Map
	w.sink.answer = func(_ int, to string) (delivery.Reply, bool) {
		_, again := asked.LoadOrStore(to, true)
		switch {
		case to == address(3):
			return delivery.Reply{Outcome: delivery.Never, Code: 550}, false
		case to == address(4) && !again:
			return delivery.Reply{Outcome: delivery.NotNow, Code: 451}, false
		case to == address(6) && !again:
			return delivery.Reply{Outcome: delivery.NotSent}, false
		}
		return delivery.Reply{Outcome: delivery.Taken, Code: 250}, true
	}
	return w
}

func everyAppend(t *testing.T, crash bool, maxUnknown int) {
	for _, done := range []bool{false, true} {
		appends := 1 << 30
		for n := 1; n <= appends; n++ {
			t.Run(fmt.Sprintf("append %d, done %t", n, done), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					if n == 1 {
						appends = failing(t, troubled(t), 0, false, false)
					}
					w := troubled(t)
					failing(t, w, n, done, crash)
					w.once(maxUnknown)
				})
			})
		}
	}
}

// Every transmission fails once, in each way that it can.
func TestEverySendFails(t *testing.T) {
	ways := map[string]struct {
		reply delivery.Reply
		taken bool
		want  campaign.Finished
		got   int
	}{
		"nothing left":               {delivery.Reply{Outcome: delivery.NotSent}, false, campaign.Finished{Sent: crowd}, crowd},
		"deferred":                   {delivery.Reply{Outcome: delivery.NotNow, Code: 451}, false, campaign.Finished{Sent: crowd}, crowd},
		"refused":                    {delivery.Reply{Outcome: delivery.Never, Code: 550}, false, campaign.Finished{Sent: crowd - 1, Failed: 1}, crowd - 1},
		"the reply is lost":          {delivery.Reply{}, true, campaign.Finished{Sent: crowd - 1, Unknown: 1}, crowd},
		"message and reply are lost": {delivery.Reply{}, false, campaign.Finished{Sent: crowd - 1, Unknown: 1}, crowd - 1},
	}
	for name, way := range ways {
		for n := 1; n <= crowd; n++ {
			t.Run(fmt.Sprintf("%s, send %d", name, n), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					w := newWorld(t, crowd)
					w.sink.answer = func(k int, _ string) (delivery.Reply, bool) {
						if k == n {
							return way.reply, way.taken
						}
						return delivery.Reply{Outcome: delivery.Taken, Code: 250}, true
					}
					w.start()
					_, stop := run(t, w.options())
					defer stop()
					if is := w.finish(); is.Result != way.want {
						t.Errorf("finished with %+v, want %+v", is.Result, way.want)
					}
					got := 0
					for i := range crowd {
						got += w.sink.count(i)
					}
					if got != way.got {
						t.Errorf("%d messages were taken, want %d", got, way.got)
					}
					w.once(1)
				})
			})
		}
	}
}

// The worker dies at every transmission, after the server took the message.
func TestTheWorkerDiesAtEverySend(t *testing.T) {
	for n := 1; n <= crowd; n++ {
		t.Run(fmt.Sprint("send ", n), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, crowd)
				f := &faulty{Journal: w.journal, crash: true}
				o := w.options()
				o.Journal, o.Transport = f, wire{w.sink, f}
				ctx, kill := context.WithCancel(context.Background())
				w.sink.answer = func(k int, _ string) (delivery.Reply, bool) {
					if k == n {
						f.mu.Lock()
						f.dead = true
						f.mu.Unlock()
						kill()
					}
					return delivery.Reply{Outcome: delivery.Taken, Code: 250}, true
				}
				w.start()
				_ = sending.New(o).Run(ctx)
				_, stop := run(t, w.options())
				defer stop()
				w.finish()
				w.once(2 * 3)
			})
		})
	}
}
