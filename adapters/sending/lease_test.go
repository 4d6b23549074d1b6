package sending_test

import (
	"context"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cleversender/cleversender/adapters/sending"
	"github.com/cleversender/cleversender/commands"
	"github.com/cleversender/cleversender/domain/campaign"
	"github.com/cleversender/cleversender/domain/delivery"
	"github.com/cleversender/cleversender/domain/event"
)

// one is a worker's options for a single segment over a single connection.
func (w *world) one() sending.Options {
	o := w.options()
	o.SegmentSize, o.Window, o.Connections = 1000, 100, 1
	return o
}

// A chunk that takes longer than a lease is sent under renewed claims: another
// worker, who waits for it, gets nothing to do and nobody becomes unknown.
func TestASlowChunkKeepsItsLease(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 20)
		w.sink.answer = slow(5 * time.Second)
		w.start()
		_, stopOne := run(t, w.one())
		defer stopOne()
		_, stopTwo := run(t, w.one())
		defer stopTwo()
		if is := w.finish(); is.Result != (campaign.Finished{Sent: 20}) {
			t.Errorf("finished with %+v, want all sent", is.Result)
		}
		for _, e := range w.events() {
			if _, ok := e.Data.(delivery.Deferred); ok {
				t.Fatal("a message was called back")
			}
		}
	})
}

// mute appends nothing while it is on.
type mute struct {
	sending.Journal
	on atomic.Bool
}

func (m *mute) Record(ctx context.Context, stream string, expect uint64, drafts []event.Draft) (event.Position, error) {
	if m.on.Load() {
		return 0, errFault
	}
	return m.Journal.Record(ctx, stream, expect, drafts)
}

// A worker that cannot append any more transmits nothing once its lease is
// over; when it can again, what it did is recorded, and the rest follows.
func TestNothingLeavesWithoutALease(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 20)
		w.sink.answer = slow(5 * time.Second)
		w.start()
		o := w.one()
		log := &mute{Journal: w.journal}
		o.Journal = log
		_, stop := run(t, o)
		defer stop()
		time.Sleep(time.Second) // the chunk is intended
		log.on.Store(true)
		time.Sleep(5 * time.Minute)
		if n := w.sink.total(); n > 6 {
			t.Errorf("%d messages of 5 s each under a lease of 30 s", n)
		}
		log.on.Store(false)
		if is := w.finish(); is.Result != (campaign.Finished{Sent: 20}) {
			t.Errorf("finished with %+v, want all sent", is.Result)
		}
		w.once(0)
	})
}

// stuck is a view that does not catch up while it is on.
type stuck struct {
	sending.Audience
	on atomic.Bool
}

func (s *stuck) WaitFor(ctx context.Context, at event.Position) error {
	if s.on.Load() {
		<-ctx.Done()
		return ctx.Err()
	}
	return s.Audience.WaitFor(ctx, at)
}

// A pause while a chunk waits at the barrier: nothing left, so nobody is in
// doubt, also for a worker that takes the segment over.
func TestPauseAtTheBarrier(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 5)
		o := w.one()
		view := &stuck{Audience: o.Audience}
		o.Audience = view
		o.Journal = &late{Journal: w.journal, do: func() { view.on.Store(true) }}
		w.start()
		_, stop := run(t, o)
		time.Sleep(10 * time.Second)
		w.ask(commands.PauseCampaign{Campaign: w.campaign})
		time.Sleep(time.Second)
		stop()
		w.ask(commands.ResumeCampaign{Campaign: w.campaign})
		_, stop = run(t, w.one())
		defer stop()
		if is := w.finish(); is.Result != (campaign.Finished{Sent: 5}) {
			t.Errorf("finished with %+v, want all sent", is.Result)
		}
	})
}
