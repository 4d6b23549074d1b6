package sending_test

import (
	"testing"
	"testing/synctest"

	"github.com/cleversender/cleversender/domain/campaign"
)

// A campaign gets to everybody once, and says so.
func TestEverybodyGetsItOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 10)
		w.start()
		_, stop := run(t, w.options())
		defer stop()
		is := w.finish()
		if want := (campaign.Finished{Sent: 10}); is.Result != want {
			t.Errorf("finished with %+v, want %+v", is.Result, want)
		}
		if is.Audience.Segments != 3 || is.Audience.Recipients != 10 {
			t.Errorf("audience %+v, want 10 recipients in 3 segments", is.Audience)
		}
		for i := range 10 {
			if n := w.sink.count(i); n != 1 {
				t.Errorf("recipient %d got %d messages", i, n)
			}
		}
	})
}
