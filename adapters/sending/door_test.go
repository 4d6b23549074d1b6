package sending_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/cleversender/cleversender/domain/campaign"
	"github.com/cleversender/cleversender/domain/delivery"
)

// breaks is a server that these people's messages cannot get to; everybody
// else's are taken after a while.
func breaks(after time.Duration, people ...int) func(int, string) (delivery.Reply, bool) {
	broken := map[string]bool{}
	for _, i := range people {
		broken[address(i)] = true
	}
	return func(_ int, to string) (delivery.Reply, bool) {
		if broken[to] {
			return delivery.Reply{Outcome: delivery.NotSent}, false
		}
		time.Sleep(after)
		return delivery.Reply{Outcome: delivery.Taken, Code: 250}, true
	}
}

// When a server is gone the rest of a chunk does not knock as well.
func TestOneKnocksForAll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 100)
		w.sink.answer = func(int, string) (delivery.Reply, bool) {
			return delivery.Reply{Outcome: delivery.NotSent}, false
		}
		w.start()
		_, stop := run(t, w.one())
		defer stop()
		time.Sleep(time.Second)
		if n := w.sink.total(); n == 0 || n > 5 {
			t.Errorf("%d attempts in the first second without a server, want a few", n)
		}
	})
}

// One message breaks every connection before it has left: everybody else gets
// the campaign at once, and this one is given up in the end.
func TestAMessageThatNothingTakes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 30)
		w.sink.answer = breaks(0, 0)
		w.start()
		o := w.options()
		o.Patience = 10 * time.Minute
		_, stop := run(t, o)
		defer stop()
		time.Sleep(10 * time.Second)
		for i := range 30 {
			if n := w.sink.count(i); i > 0 && n != 1 {
				t.Errorf("recipient %d got %d messages in ten seconds", i, n)
			}
		}
		if is := w.finish(); is.Result != (campaign.Finished{Sent: 29, Failed: 1}) {
			t.Errorf("finished with %+v, want 29 sent and 1 failed", is.Result)
		}
	})
}

// Messages that break every connection, over and over, leave the others their
// speed: each holds them up for a moment the first time, and never again.
func TestWhatNothingTakesHoldsNobodyUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 200)
		w.sink.answer = breaks(time.Second, 0, 1, 90, 91, 92, 199)
		w.start()
		o := w.options() // two connections: a hundred seconds for everybody
		o.Patience = 10 * time.Minute
		_, stop := run(t, o)
		defer stop()
		time.Sleep(110 * time.Second)
		left := 0
		for i := range 200 {
			if w.sink.count(i) == 0 {
				left++
			}
		}
		if left > 6 {
			t.Errorf("%d did not get their message in time, want 6", left)
		}
		if is := w.finish(); is.Result != (campaign.Finished{Sent: 194, Failed: 6}) {
			t.Errorf("finished with %+v, want 194 sent and 6 failed", is.Result)
		}
	})
}

// Who was told not now gets their turn while a message of the same segment
// cannot leave.
func TestTheDeferredDoNotWaitForWhatNothingTakes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 4)
		broken := breaks(0, 0)
		w.sink.answer = func(n int, to string) (delivery.Reply, bool) {
			if to == address(1) && n < 6 {
				return delivery.Reply{Outcome: delivery.NotNow, Code: 451}, false
			}
			return broken(n, to)
		}
		w.start()
		_, stop := run(t, w.options())
		defer stop()
		time.Sleep(10 * time.Second)
		if w.sink.count(1) != 1 {
			t.Error("deferred, and without their message after ten seconds")
		}
	})
}

// However many were under way when the server went, it is asked again soon: a
// short outage costs little more than it lasts.
func TestAShortOutage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 100)
		back := time.Now().Add(2 * time.Second)
		w.sink.answer = func(int, string) (delivery.Reply, bool) {
			gone := time.Now().Before(back)
			time.Sleep(10 * time.Millisecond)
			if gone {
				return delivery.Reply{Outcome: delivery.NotSent}, false
			}
			return delivery.Reply{Outcome: delivery.Taken, Code: 250}, true
		}
		w.start()
		o := w.one()
		o.Connections = 16
		_, stop := run(t, o)
		defer stop()
		time.Sleep(10 * time.Second)
		if is := w.state(); is.Result != (campaign.Finished{Sent: 100}) {
			t.Errorf("%+v ten seconds after an outage of two began, want all sent", is.Result)
		}
	})
}
