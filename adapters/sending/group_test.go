package sending_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/cleversender/cleversender/domain/delivery"
)

// Where little leaves at once a result waits longer, so that each event still
// has several.
func TestSlowResultsAreRecordedTogether(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 20)
		w.start()
		w.sink.answer = func(int, string) (delivery.Reply, bool) {
			time.Sleep(40 * time.Millisecond)
			return delivery.Reply{Outcome: delivery.Taken, Code: 250}, true
		}
		o := w.options()
		o.SegmentSize, o.Window, o.Parallel, o.Connections, o.GroupDelay = 20, 200, 1, 1, 5*time.Millisecond
		_, stop := run(t, o)
		if is := w.finish(); is.Result.Sent != 20 {
			t.Errorf("%+v", is.Result)
		}
		stop()
		events := 0
		for _, e := range w.events() {
			if _, ok := e.Data.(delivery.Accepted); ok {
				events++
			}
		}
		if want := 2 * 4; events != want { // of two chunks
			t.Errorf("20 results in %d events, want %d", events, want)
		}
	})
}
