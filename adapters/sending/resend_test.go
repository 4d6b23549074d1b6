package sending_test

import (
	"testing"
	"testing/synctest"

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
