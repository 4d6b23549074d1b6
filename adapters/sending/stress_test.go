package sending_test

import (
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cleversender/cleversender/adapters/eventlog"
	"github.com/cleversender/cleversender/adapters/readmodel"
	models "github.com/cleversender/cleversender/adapters/readmodel/memory"
	"github.com/cleversender/cleversender/adapters/sending"
	"github.com/cleversender/cleversender/domain"
	"github.com/cleversender/cleversender/domain/campaign"
	"github.com/cleversender/cleversender/domain/consent"
	"github.com/cleversender/cleversender/domain/delivery"
	"github.com/cleversender/cleversender/domain/event"
	"github.com/cleversender/cleversender/domain/list"
	"github.com/cleversender/cleversender/domain/personal"
	"github.com/cleversender/cleversender/domain/subscriber"
	"github.com/cleversender/cleversender/projections"
	"github.com/cleversender/cleversender/projections/audience"
)

var stressSeeds = flag.Int("stress.seeds", 20, "TestRevocationStress: how many runs")

// People revoke, object, are restricted, suppressed or erased, and some of them
// agree again, at random while a campaign is sent at full speed. In the whole
// log, no message left without a consent in force at its intent, which names it;
// and nobody got a message whom anything recorded before the intent kept it from.
func TestRevocationStress(t *testing.T) {
	sent, withheld := 0, 0
	var faults []string
	for seed := range *stressSeeds {
		synctest.Test(t, func(t *testing.T) {
			r, wrong := newStress(t, uint64(seed), 150).run()
			sent, withheld = sent+r.Sent, withheld+r.Withheld
			if len(wrong) > 0 {
				faults = append(faults, fmt.Sprintf("seed %d, %d faults, such as: %s", seed, len(wrong), wrong[0]))
			}
		})
	}
	t.Logf("%d seeds, %d with faults; %d sent, %d withheld", *stressSeeds, len(faults), sent, withheld)
	for _, fault := range faults {
		t.Error(fault)
	}
	if withheld < 10**stressSeeds || sent < 10**stressSeeds {
		t.Errorf("%d sent, %d withheld: nothing to see", sent, withheld)
	}
}

// stress is a world in which every step takes a random while.
type stress struct {
	*world
	mu    sync.Mutex
	dice  *rand.Rand
	view  *following
	left  map[domain.ID][]event.Position // the head of the log when a message left
	by    map[string]domain.ID           // people by address
	holds map[domain.ID][]any            // what takes back what keeps a person from mail
}

func newStress(t *testing.T, seed uint64, n int) *stress {
	s := &stress{
		world: newWorld(t, 0), dice: rand.New(rand.NewPCG(seed, 1)),
		left: map[domain.ID][]event.Position{}, by: map[string]domain.ID{}, holds: map[domain.ID][]any{},
	}
	s.append(list.Stream(s.list), domain.ID{}, list.Created{Name: "News"})
	for i := range n {
		id := domain.ID{0: 2, 14: byte(i >> 8), 15: byte(i)}
		s.people, s.by[address(i)] = append(s.people, id), id
		s.append(subscriber.Stream(id), id,
			subscriber.Added{Email: personal.Of(address(i)), Name: personal.Of("Name"), Source: subscriber.SourceAPI},
			subscriber.Joined{List: s.list},
			consent.Given{Purpose: consent.Mailing, List: s.list, Method: consent.ByAPI})
	}
	s.sink.answer = func(int, string) (delivery.Reply, bool) {
		s.linger(4 * time.Millisecond)
		if s.n(20) == 0 {
			return delivery.Reply{Outcome: delivery.NotNow, Code: 451}, false
		}
		return delivery.Reply{Outcome: delivery.Taken, Code: 250}, true
	}
	var err error
	s.view = &following{s: s}
	if s.view.Model, err = models.New().Open(t.Context(), audience.Projection.ID(), audience.Projection.Tables); err != nil {
		t.Fatal(err)
	}
	return s
}

func (s *stress) n(most int) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.dice.IntN(most)
}

// linger takes up to d, in steps in which something else happens.
func (s *stress) linger(d time.Duration) { time.Sleep(time.Duration(s.n(8)) * d / 8) }

// run sends the campaign while people change their minds, and audits the log.
func (s *stress) run() (r campaign.Finished, wrong []string) {
	s.start()
	_, stop := run(s.t, sending.Options{
		Journal: jitter{s.journal, s}, Audience: s.view, Composer: composer{}, Transport: s,
		SegmentSize: 40, Window: 16, Parallel: 3, Connections: 6, Retries: []time.Duration{20 * time.Millisecond},
	})
	defer stop()
	over := make(chan struct{})
	var minds sync.WaitGroup
	for k := range 3 { // each has people of its own
		minds.Go(func() {
			for {
				select {
				case <-over:
					return
				case <-time.After(time.Duration(s.n(8)) * time.Millisecond / 4):
					s.change(s.people[s.n(len(s.people)/3)*3+k])
				}
			}
		})
	}
	r = s.finish().Result
	close(over)
	minds.Wait()
	a, err := newAudit(context.Background(), s.journal)
	if err != nil {
		s.t.Fatal(err)
	}
	for id, heads := range s.left {
		for _, head := range heads {
			a.left(id, head)
		}
	}
	for i := range s.people {
		if n := s.sink.count(i); n > 1 {
			a.complain("recipient %d got %d messages", i, n)
		}
	}
	return r, a.wrong
}

// change has a person change their mind, one way or the other.
func (s *stress) change(id domain.ID) {
	s.mu.Lock()
	back := s.holds[id]
	s.mu.Unlock()
	var does any
	switch {
	case len(back) > 0 && back[0] == nil: // erased
		return
	case len(back) > 0:
		does, back = back[0], back[1:]
	default:
		agree := consent.Given{Purpose: consent.Mailing, List: s.list, Method: consent.ByAPI}
		revoke := consent.Revoked{Purpose: consent.Mailing, List: s.list, Method: consent.ByAPI}
		switch s.n(6) {
		case 0:
			does, back = subscriber.Suppressed{Reason: subscriber.Complaint}, []any{subscriber.Unsuppressed{Reason: subscriber.Complaint}}
		case 1:
			does, back = subscriber.Restricted{}, []any{subscriber.RestrictionLifted{}}
		case 2:
			does, back = subscriber.Objected{Method: consent.ByAPI}, []any{subscriber.ObjectionWithdrawn{Method: consent.ByAPI}}
		case 3:
			does, back = subscriber.Erased{}, []any{nil}
		default:
			does, back = revoke, []any{agree}
		}
	}
	s.append(subscriber.Stream(id), id, does)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.holds[id] = back
}

// Send implements sending.Transport: it notes how far the log was.
func (s *stress) Send(ctx context.Context, m sending.Message) delivery.Reply {
	head, err := s.journal.Head(ctx)
	if err != nil {
		s.t.Error(err)
	}
	s.mu.Lock()
	id := s.by[m.To]
	s.left[id] = append(s.left[id], head)
	s.mu.Unlock()
	return s.sink.Send(ctx, m)
}

// jitter takes a while before and after each append.
type jitter struct {
	sending.Journal
	s *stress
}

func (j jitter) Record(ctx context.Context, stream string, expect uint64, drafts []event.Draft) (event.Position, error) {
	j.s.linger(2 * time.Millisecond)
	at, err := j.Journal.Record(ctx, stream, expect, drafts)
	j.s.linger(2 * time.Millisecond)
	return at, err
}

// following is the audience's own projection, which lags as much as it may.
type following struct {
	readmodel.Model
	s       *stress
	mu      sync.Mutex
	edition uint64
}

// WaitFor folds as far as it must, a little at a time.
func (f *following) WaitFor(ctx context.Context, at event.Position) error {
	f.s.linger(2 * time.Millisecond)
	f.mu.Lock()
	defer f.mu.Unlock()
	from, err := f.Position(ctx)
	if err != nil || from >= at {
		return err
	}
	for page, err := range f.s.journal.Follow(ctx, from, audience.Projection.Types, 1+f.s.n(5)) {
		if err != nil {
			return err
		}
		if err := f.Apply(ctx, f.batch(from, page)); err != nil {
			return err
		}
		if len(page.Events) > 0 {
			f.edition++
		}
		if from = page.Next; from >= at {
			return nil
		}
	}
	return ctx.Err()
}

func (*following) batch(from event.Position, page eventlog.RecordedPage) readmodel.Batch {
	return readmodel.Batch{From: from, Next: page.Next, Fold: func(rows projections.Rows) error {
		return audience.Projection.Fold(rows, page.Events)
	}}
}

func (f *following) Edition() uint64 {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.edition
}

func (f *following) Members(ctx context.Context, account domain.ID, lists []domain.ID, after domain.ID, limit int) ([]domain.ID, error) {
	return audience.MemberIDs(ctx, f.Model, account, lists, after, limit)
}

func (f *following) Permissions(ctx context.Context, account domain.ID, lists, people []domain.ID) ([]audience.Permission, error) {
	f.s.linger(time.Millisecond)
	return audience.Permissions(ctx, f.Model, account, lists, people)
}
