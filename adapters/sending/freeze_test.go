package sending_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/cleversender/cleversender/adapters/sending"
	"github.com/cleversender/cleversender/domain/campaign"
	"github.com/cleversender/cleversender/domain/delivery"
	"github.com/cleversender/cleversender/domain/event"
)

// rival plans the first segment otherwise, right before the worker does.
type rival struct {
	sending.Journal
	once sync.Once
	w    *world
}

func (r *rival) Record(ctx context.Context, stream string, expect uint64, drafts []event.Draft) (event.Position, error) {
	if _, ok := drafts[0].Data.(delivery.Planned); ok {
		r.once.Do(func() {
			r.w.append(stream, r.w.account, delivery.Planned{Campaign: r.w.campaign, Subjects: r.w.people[:2]})
		})
	}
	return r.Journal.Record(ctx, stream, expect, drafts)
}

// Two workers that freeze an audience at once come to the same one: a segment
// that exists is adopted. The digest is over all recipients in order.
func TestFreezeAdoptsWhatIsPlanned(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 7)
		o := w.options()
		o.Journal = &rival{Journal: w.journal, w: w}
		w.start()
		_, stop := run(t, o)
		defer stop()
		is := w.finish()
		sum := sha256.New()
		for _, id := range w.people {
			sum.Write(id[:])
		}
		want := campaign.AudienceFrozen{
			Position: is.Audience.Position, Recipients: 7, Segments: 3, SHA256: hex.EncodeToString(sum.Sum(nil)),
		}
		if is.Audience != want { // 2, 4 and 1
			t.Errorf("audience %+v, want %+v", is.Audience, want)
		}
		w.once(0)
	})
}

// A campaign to nobody is over at once.
func TestNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 0)
		w.start()
		_, stop := run(t, w.options())
		defer stop()
		if is := w.finish(); is.Status != campaign.Done || is.Result != (campaign.Finished{}) || is.Audience.Segments != 0 {
			t.Errorf("%s with %+v, want finished with nothing", is.Status, is.Result)
		}
	})
}

// Who may not be mailed is withheld with a reason, and not left out in silence.
func TestWhoMayNotBeMailedIsWithheld(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 7)
		w.revoke(0)
		w.revoke(5)
		w.start()
		_, stop := run(t, w.options())
		defer stop()
		if is := w.finish(); is.Audience.Recipients != 7 || is.Result != (campaign.Finished{Sent: 5, Withheld: 2}) {
			t.Errorf("%d recipients, finished with %+v; want 7, 2 of them withheld", is.Audience.Recipients, is.Result)
		}
		if w.sink.count(0)+w.sink.count(5) != 0 {
			t.Error("sent to somebody who had revoked")
		}
	})
}
