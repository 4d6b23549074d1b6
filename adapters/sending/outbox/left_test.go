package outbox_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cleversender/cleversender/adapters/sending/outbox"
	"github.com/cleversender/cleversender/domain/delivery"
	"github.com/cleversender/cleversender/domain/message"
)

// A worker dies for good: what it deferred is sent by one that runs beside it,
// and what it intended is unknown, once nothing has come of either for long enough.
func TestLeftByAnother(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		ask(w, 2)
		first, second := w.options(), w.options()
		second.Limits = &limits{from: time.Now().Add(time.Minute)} // until the other has both
		ctx, die := context.WithCancel(t.Context())
		w.sink.answer = func(_ int, to string) (delivery.Reply, bool) {
			if to == address(0) {
				return delivery.Reply{Outcome: delivery.NotNow, Code: 451}, false
			}
			<-ctx.Done()
			return yes, true
		}
		dead := outbox.New(first)
		go func() { _ = dead.Run(ctx) }()
		defer run(t, second)()
		time.Sleep(time.Second)
		die()
		synctest.Wait()
		w.sink.answer = nil
		time.Sleep(10 * time.Minute)
		if a, b := w.state(0).Status, w.state(1).Status; a != message.Again || b != message.Pending {
			t.Errorf("after ten minutes they are %s and %s", a, b)
		}
		time.Sleep(10 * time.Minute)
		if a, b := w.state(0).Status, w.state(1).Status; a != message.Sent || b != message.InDoubt {
			t.Errorf("after twenty minutes they are %s and %s", a, b)
		}
		if a, b := w.sink.count(0), w.sink.count(1); a != 1 || b != 1 {
			t.Errorf("taken %d and %d times", a, b)
		}
	})
}

// A worker takes nothing over from itself: not what waits, and not what is on its way for long.
func TestNotLeft(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, l := newWorld(t), &limits{from: time.Now().Add(2 * time.Hour)}
		ask(w, 1)
		w.sink.answer = func(int, string) (delivery.Reply, bool) {
			time.Sleep(time.Hour)
			return yes, true
		}
		o := w.options()
		o.Limits = l
		defer run(t, o)()
		time.Sleep(2*time.Hour + 59*time.Minute)
		w.all(1, message.Pending)
		time.Sleep(2 * time.Minute)
		if w.all(1, message.Sent); w.sink.count(0) != 1 || l.asked != 2 {
			t.Errorf("taken %d times, asked for %d turns", w.sink.count(0), l.asked)
		}
	})
}
