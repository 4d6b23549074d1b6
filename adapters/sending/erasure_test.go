package sending_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cleversender/cleversender/adapters/eventlog"
	"github.com/cleversender/cleversender/adapters/sending"
	"github.com/cleversender/cleversender/domain"
	"github.com/cleversender/cleversender/domain/campaign"
	"github.com/cleversender/cleversender/domain/delivery"
	"github.com/cleversender/cleversender/domain/event"
)

// locks is a journal some of whose people's values do not open: shredded ones
// read as erased, lost ones are a fault. While all is on, everything is a fault.
type locks struct {
	sending.Journal
	mu             sync.Mutex
	shredded, lost domain.ID
	all            bool
}

func (l *locks) set(change func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	change()
}

var errLost = errors.New("the key never existed")

func (l *locks) OpenValues(ctx context.Context, values []eventlog.SealedValue) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, v := range values {
		if l.all || v.Subject == l.lost {
			return errLost
		}
		if v.Subject == l.shredded {
			if err := v.Value.Open(nil); err != nil {
				return err
			}
		}
	}
	return l.Journal.OpenValues(ctx, values)
}

// Record refuses, as the real one does, what would have to be sealed for the shredded.
func (l *locks) Record(ctx context.Context, stream string, expect uint64, drafts []event.Draft) (event.Position, error) {
	l.mu.Lock()
	shredded := l.shredded
	l.mu.Unlock()
	for _, d := range drafts {
		if e, ok := d.Data.(delivery.Failed); ok && e.Person == shredded && !e.Reply.IsEmpty() {
			return 0, eventlog.ErrErased
		}
	}
	return l.Journal.Record(ctx, stream, expect, drafts)
}

// Who has been erased after the last look at the audience is withheld.
func TestErasedAfterTheBarrier(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 5)
		o := w.options()
		o.Journal = &locks{Journal: w.journal, shredded: w.people[2]}
		w.start()
		_, stop := run(t, o)
		defer stop()
		if is := w.finish(); is.Result != (campaign.Finished{Sent: 4, Withheld: 1}) || w.sink.count(2) != 0 {
			t.Errorf("finished with %+v, want 4 sent and 1 withheld", is.Result)
		}
	})
}

// A server's words about somebody who was erased meanwhile are not kept; that
// the message failed is.
func TestErasedBeforeTheResult(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 5)
		log := &locks{Journal: w.journal}
		w.sink.answer = func(_ int, to string) (delivery.Reply, bool) {
			if to == address(2) {
				log.set(func() { log.shredded = w.people[2] })
				return delivery.Reply{Outcome: delivery.Never, Code: 550, Text: "no p2@example.com here"}, false
			}
			return delivery.Reply{Outcome: delivery.Taken, Code: 250}, true
		}
		o := w.one()
		o.Journal = log
		w.start()
		_, stop := run(t, o)
		defer stop()
		if is := w.finish(); is.Result != (campaign.Finished{Sent: 4, Failed: 1}) {
			t.Errorf("finished with %+v, want 4 sent and 1 failed", is.Result)
		}
	})
}

// One person's lost key costs nobody else their message; while no key can be
// read, nobody fails.
func TestALostKeyHoldsNobodyUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 5)
		log := &locks{Journal: w.journal, all: true}
		o := w.one()
		o.Journal = log
		w.start()
		_, stop := run(t, o)
		defer stop()
		time.Sleep(10 * time.Minute)
		for _, e := range w.events() {
			if _, ok := e.Data.(delivery.Failed); ok {
				t.Fatal("somebody failed though no key could be read")
			}
		}
		log.set(func() { log.all, log.lost = false, w.people[3] })
		if is := w.finish(); is.Result != (campaign.Finished{Sent: 4, Failed: 1}) {
			t.Errorf("finished with %+v, want 4 sent and 1 failed", is.Result)
		}
	})
}
