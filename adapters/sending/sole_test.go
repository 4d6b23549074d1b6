package sending_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/cleversender/cleversender/domain"
	"github.com/cleversender/cleversender/domain/campaign"
	"github.com/cleversender/cleversender/domain/delivery"
)

// A sole worker goes on at once where one that died left off; one that may not
// be alone waits until the dead one's lease is over.
func TestASoleWorkerWaitsForNoLease(t *testing.T) {
	for name, sole := range map[string]bool{"sole": true, "one of many": false} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, 3)
				w.start()
				w.append(delivery.Stream(w.campaign, 0), domain.ID{}, delivery.Planned{Campaign: w.campaign, Subjects: w.people},
					delivery.Claimed{Worker: domain.ID{0: 9}, Until: time.Now().Add(time.Hour)})
				o := w.options()
				o.Sole = sole
				began := time.Now()
				_, stop := run(t, o)
				defer stop()
				if is := w.finish(); is.Result != (campaign.Finished{Sent: 3}) {
					t.Errorf("finished with %+v, want all sent", is.Result)
				}
				if took := time.Since(began); sole != (took < time.Hour) {
					t.Errorf("it took %s", took)
				}
			})
		})
	}
}

// Two workers that both believe to be alone: nobody gets two messages, and
// everybody is accounted for.
func TestTwoSoleWorkers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 60)
		w.sink.answer = slow(50 * time.Millisecond)
		w.start()
		for range 2 {
			o := w.options()
			o.Sole = true
			_, stop := run(t, o)
			defer stop()
		}
		w.finish()
		w.once(60)
	})
}
