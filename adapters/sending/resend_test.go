package sending_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cleversender/cleversender/adapters/sending"
	"github.com/cleversender/cleversender/commands"
	"github.com/cleversender/cleversender/domain/campaign"
	"github.com/cleversender/cleversender/domain/delivery"
)

// Nobody in doubt is sent to again in silence; asked for, they are, once for
// each asking, by this worker or by the next; nobody else is.
func TestResendUnknown(t *testing.T) {
	for _, restarted := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t, 12)
			lost := map[string]bool{address(3): true, address(7): true}
			w.sink.answer = func(_ int, to string) (delivery.Reply, bool) {
				if lost[to] {
					return delivery.Reply{Outcome: delivery.Unclear}, true
				}
				return delivery.Reply{Outcome: delivery.Taken, Code: 250}, true
			}
			w.start()
			_, stop := run(t, w.one())
			if is := w.finish(); is.Result != (campaign.Finished{Sent: 10, Unknown: 2}) {
				t.Fatalf("finished with %+v, want 2 unknown", is.Result)
			}
			if restarted {
				stop()
				_, stop = run(t, w.one())
			}
			defer func() { stop() }()
			delete(lost, address(3)) // the other's reply gets lost again
			w.ask(commands.ResendUnknown{Campaign: w.campaign})
			synctest.Wait()
			if is := w.finish(); is.Result != (campaign.Finished{Sent: 11, Unknown: 1}) {
				t.Fatalf("finished with %+v, want 1 unknown", is.Result)
			}
			for i := range 12 {
				want := 1
				if i == 3 || i == 7 {
					want = 2
				}
				if n := w.sink.count(i); n != want {
					t.Errorf("recipient %d got %d messages, want %d", i, n, want)
				}
			}
		})
	}
}

// The worker that sends again dies at every append, before it and right after
// it: whoever was in doubt got one more message at most, everybody else none.
func TestTheWorkerDiesSendingAgain(t *testing.T) {
	for _, done := range []bool{false, true} {
		appends := 1 << 30
		for n := 1; n <= appends; n++ {
			t.Run(fmt.Sprintf("append %d, done %t", n, done), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					if n == 1 {
						appends = dyingAgain(t, 0, false)
					}
					dyingAgain(t, n, done)
				})
			})
		}
	}
}

// dyingAgain loses the replies for two recipients, and asks a worker that dies
// at its nth append to send to them again, and another one after it; it returns
// how many appends the first of them made.
func dyingAgain(t *testing.T, n int, done bool) int {
	w := newWorld(t, crowd)
	lost := map[string]bool{address(2): true, address(5): true}
	w.sink.answer = func(_ int, to string) (delivery.Reply, bool) {
		if lost[to] {
			return delivery.Reply{Outcome: delivery.Unclear}, true
		}
		return delivery.Reply{Outcome: delivery.Taken, Code: 250}, true
	}
	w.start()
	_, stop := run(t, w.one())
	w.finish()
	stop()
	clear(lost)

	w.ask(commands.ResendUnknown{Campaign: w.campaign})
	f := &faulty{Journal: w.journal, fail: n, done: done, crash: true}
	o := w.one()
	o.Journal, o.Transport = f, wire{w.sink, f}
	ctx, kill := context.WithCancel(context.Background())
	f.kill = kill
	var ran sync.WaitGroup
	ran.Go(func() { _ = sending.New(o).Run(ctx) })
	for ctx.Err() == nil && !w.state().Over() {
		time.Sleep(100 * time.Millisecond)
	}
	kill()
	ran.Wait()
	_, stop = run(t, w.one())
	defer stop()
	is := w.finish()
	for i := range w.people {
		most := 1
		if i == 2 || i == 5 {
			most = 2
		}
		if got := w.sink.count(i); got < 1 || got > most {
			t.Errorf("recipient %d got %d messages, want at most %d", i, got, most)
		}
	}
	if r := is.Result; r.Sent+r.Unknown != crowd || r.Unknown > 2 {
		t.Errorf("finished with %+v", r)
	}
	return f.appends
}
