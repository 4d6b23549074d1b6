package sending_test

import (
	"context"
	"errors"
	"iter"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cleversender/cleversender/adapters/eventlog"
	"github.com/cleversender/cleversender/adapters/sending"
	"github.com/cleversender/cleversender/commands"
	"github.com/cleversender/cleversender/domain"
	"github.com/cleversender/cleversender/domain/campaign"
	"github.com/cleversender/cleversender/domain/delivery"
	"github.com/cleversender/cleversender/domain/event"
)

// slow answers after a while.
func slow(d time.Duration) func(int, string) (delivery.Reply, bool) {
	return func(int, string) (delivery.Reply, bool) {
		time.Sleep(d)
		return delivery.Reply{Outcome: delivery.Taken, Code: 250}, true
	}
}

func (s *sink) total() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.sends
}

// A pause stops transmissions within a second and loses nothing: those under
// way are recorded, and after resuming everybody gets the campaign once.
func TestPauseAndResume(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 40)
		w.sink.answer = slow(100 * time.Millisecond)
		w.start()
		_, stop := run(t, w.options())
		defer stop()
		time.Sleep(450 * time.Millisecond)
		w.ask(commands.PauseCampaign{Campaign: w.campaign, Reason: "a typo"})
		time.Sleep(time.Second)
		before := w.sink.total()
		if before == 0 || before == 40 {
			t.Fatalf("%d messages before the pause: nothing to see", before)
		}
		recorded := 0
		for _, e := range w.events() {
			if d, ok := e.Data.(delivery.Accepted); ok {
				recorded += len(d.Ordinals)
			}
		}
		time.Sleep(10 * time.Minute)
		if after := w.sink.total(); after != before || recorded != before {
			t.Errorf("%d messages a second after the pause, %d recorded, %d ten minutes later", before, recorded, after)
		}
		w.ask(commands.ResumeCampaign{Campaign: w.campaign})
		if is := w.finish(); is.Result != (campaign.Finished{Sent: 40}) {
			t.Errorf("finished with %+v, want all sent", is.Result)
		}
		w.once(0)
	})
}

// A cancelled campaign sends nothing more, and leaves nobody in doubt.
func TestCancel(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 40)
		w.sink.answer = slow(100 * time.Millisecond)
		w.start()
		_, stop := run(t, w.options())
		defer stop()
		time.Sleep(450 * time.Millisecond)
		w.ask(commands.CancelCampaign{Campaign: w.campaign})
		time.Sleep(time.Second)
		before := w.sink.total()
		time.Sleep(10 * time.Minute)
		if after := w.sink.total(); after != before {
			t.Errorf("%d messages after the cancellation", after-before)
		}
		open := map[int]bool{}
		for _, e := range w.events() {
			switch d := e.Data.(type) {
			case delivery.Intended:
				for _, n := range d.Ordinals {
					open[n] = true
				}
			case delivery.Accepted:
				for _, n := range d.Ordinals {
					delete(open, n)
				}
			case delivery.Deferred:
				delete(open, d.Ordinal)
			}
		}
		if len(open) > 0 {
			t.Errorf("%d recipients intended and without a result", len(open))
		}
	})
}

// Stop waits for what is under way, records it, and releases the segments: the
// next worker goes on at once and sends to everybody else.
func TestStopLeavesNothingBehind(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 10)
		w.sink.answer = slow(5 * time.Second)
		w.start()
		_, stop := run(t, w.options())
		time.Sleep(time.Second)
		stop()
		if n := w.sink.total(); n != 2 {
			t.Errorf("%d messages left, want the two that were under way", n)
		}
		w.sink.answer = nil
		began := time.Now()
		_, stop = run(t, w.options())
		defer stop()
		if is := w.finish(); is.Result != (campaign.Finished{Sent: 10}) {
			t.Errorf("finished with %+v, want all sent", is.Result)
		}
		if d := time.Since(began); d > 10*time.Second {
			t.Errorf("the next worker took %v: it waited for a lease", d)
		}
		w.once(0)
	})
}

// A stop whose time runs out breaks transmissions off; what they were about is
// unknown, and nothing else is.
func TestStopRunsOutOfTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 10)
		o := w.options()
		o.Transport = hanging{}
		w.start()
		s := sending.New(o)
		var ran sync.WaitGroup
		ran.Go(func() { _ = s.Run(context.Background()) })
		time.Sleep(time.Second)
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		if err := s.Stop(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("stop says %v, want that its time ran out", err)
		}
		ran.Wait()
		_, stop := run(t, w.options())
		defer stop()
		if is := w.finish(); is.Result != (campaign.Finished{Sent: 8, Unknown: 2}) {
			t.Errorf("finished with %+v, want 8 sent and 2 unknown", is.Result)
		}
	})
}

type hanging struct{}

func (hanging) Send(ctx context.Context, _ sending.Message) delivery.Reply {
	<-ctx.Done()
	return delivery.Reply{}
}

// late does something right before the first intents are appended.
type late struct {
	sending.Journal
	once sync.Once
	do   func()
}

func (l *late) Record(ctx context.Context, stream string, expect uint64, drafts []event.Draft) (event.Position, error) {
	if _, ok := drafts[0].Data.(delivery.Intended); ok {
		l.once.Do(l.do)
	}
	return l.Journal.Record(ctx, stream, expect, drafts)
}

// Who revokes after the worker asked and before the intent is withheld: the
// view at hand did not know yet, the barrier does.
func TestTheBarrierHonoursALateRevocation(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 6)
		o := w.options()
		o.Parallel = 1
		o.Journal = &late{Journal: w.journal, do: func() { w.revoke(1) }}
		w.start()
		_, stop := run(t, o)
		defer stop()
		if is := w.finish(); is.Result != (campaign.Finished{Sent: 5, Withheld: 1}) {
			t.Errorf("finished with %+v, want 5 sent and 1 withheld", is.Result)
		}
		if w.sink.count(1) != 0 {
			t.Error("sent to somebody who had revoked")
		}
		for _, e := range w.events() {
			if d, ok := e.Data.(delivery.Withheld); ok && (d.Ordinal != 1 || d.Reason != delivery.Revoked) {
				t.Errorf("withheld %+v, want ordinal 1, revoked", d)
			}
		}
	})
}

// A scheduled campaign starts when it is due, not before, also when the worker
// came up in between; one that is called off does not start.
func TestScheduledCampaigns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 3)
		at := time.Now().Add(time.Hour)
		w.ask(commands.ScheduleCampaign{Campaign: w.campaign, StartAt: at, Now: time.Now()})
		time.Sleep(10 * time.Minute)
		_, stop := run(t, w.options())
		defer stop()
		time.Sleep(49 * time.Minute)
		if is := w.state(); is.Started {
			t.Fatal("started before its time")
		}
		w.ask(commands.UnscheduleCampaign{Campaign: w.campaign})
		time.Sleep(2 * time.Minute)
		if is := w.state(); is.Started {
			t.Fatal("started though it was called off")
		}
		w.ask(commands.ScheduleCampaign{Campaign: w.campaign, StartAt: time.Now().Add(time.Minute), Now: time.Now()})
		time.Sleep(62 * time.Second)
		if is := w.finish(); is.Result != (campaign.Finished{Sent: 3}) {
			t.Errorf("finished with %+v, want 3 sent", is.Result)
		}
	})
}

// A scheduled campaign that may not start is a draft again, and says why; what
// is forced starts all the same, and a fault is no refusal.
func TestScheduledAndHeldBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 3)
		o := w.options()
		faults := 3
		o.Blocked = func(context.Context, domain.ID, campaign.Settings) ([]string, error) {
			if faults--; faults >= 0 {
				return nil, errors.New("disk on fire")
			}
			return []string{"dmarc_reject"}, nil
		}
		_, stop := run(t, o)
		defer stop()
		schedule := func(force ...string) {
			w.ask(commands.ScheduleCampaign{Campaign: w.campaign, StartAt: time.Now().Add(time.Minute), Now: time.Now(), Force: force})
			time.Sleep(90 * time.Second)
		}
		schedule("no_unsubscribe")
		if is := w.state(); is.Status != campaign.Draft || is.Started {
			t.Fatalf("%+v, want a draft", is)
		}
		for _, e := range w.events() {
			if off, ok := e.Data.(campaign.Unscheduled); ok && off.Reason != "preflight holds the campaign back: dmarc_reject" {
				t.Errorf("called off: %q", off.Reason)
			}
		}
		schedule("dmarc_reject")
		if is := w.finish(); is.Result != (campaign.Finished{Sent: 3}) {
			t.Errorf("finished with %+v, want 3 sent", is.Result)
		}
	})
}

// A scheduled campaign of which no message can be made is a draft again, too.
func TestScheduledAndBroken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 3)
		o := w.options()
		o.Composer = broken{domain.Refuse("template_invalid", "template, html,\nline 1: "+strings.Repeat("no ", 200))}
		_, stop := run(t, o)
		defer stop()
		w.ask(commands.ScheduleCampaign{Campaign: w.campaign, StartAt: time.Now().Add(time.Minute), Now: time.Now()})
		time.Sleep(90 * time.Second)
		if is := w.state(); is.Status != campaign.Draft {
			t.Errorf("%+v, want a draft", is)
		}
	})
}

type broken struct{ why error }

func (b broken) Freeze(context.Context, domain.ID, campaign.Settings) (campaign.Content, error) {
	return campaign.Content{}, b.why
}

func (b broken) Compile(context.Context, sending.Mailing) (sending.Mailer, error) { return nil, b.why }

// Two workers on one log share the segments; nobody gets two messages, and
// both agree about the audience.
func TestTwoWorkers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 60)
		w.sink.answer = slow(50 * time.Millisecond)
		_, stopOne := run(t, w.options())
		defer stopOne()
		_, stopTwo := run(t, w.options())
		defer stopTwo()
		synctest.Wait()
		w.start()
		if is := w.finish(); is.Result != (campaign.Finished{Sent: 60}) {
			t.Errorf("finished with %+v, want all sent", is.Result)
		}
		w.once(0)
		workers := map[any]bool{}
		for _, e := range w.events() {
			if d, ok := e.Data.(delivery.Claimed); ok {
				workers[d.Worker] = true
			}
		}
		if len(workers) < 15 {
			t.Errorf("%d claims, want one for each of 15 segments at least", len(workers))
		}
	})
}

// A server that says not now to one address for ever: it fails in the end, as
// unreachable, and holds nobody else up.
func TestNotNowForEver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 6)
		w.sink.answer = func(_ int, to string) (delivery.Reply, bool) {
			if to == address(2) {
				return delivery.Reply{Outcome: delivery.NotNow, Code: 450, Enhanced: "4.2.1", Text: "mailbox of p2 is busy"}, false
			}
			return delivery.Reply{Outcome: delivery.Taken, Code: 250}, true
		}
		w.start()
		began := time.Now()
		_, stop := run(t, w.options())
		defer stop()
		if is := w.finish(); is.Result != (campaign.Finished{Sent: 5, Failed: 1}) {
			t.Errorf("finished with %+v, want 5 sent, 1 failed", is.Result)
		}
		if d := time.Since(began); d < 42*time.Second {
			t.Errorf("three pauses of 2, 10 and 30 s were over after %v", d)
		}
		deferrals := 0
		for _, e := range w.events() {
			switch d := e.Data.(type) {
			case delivery.Deferred:
				deferrals++
			case delivery.Failed:
				if d.Reason != delivery.Unreachable || d.Code != 450 {
					t.Errorf("failed as %s with code %d, want unreachable, 450", d.Reason, d.Code)
				}
			}
		}
		if deferrals != 3 {
			t.Errorf("deferred %d times, want 3", deferrals)
		}
	})
}

// While no server can be reached nobody is lost, and few are asked about; when
// one is back the campaign goes on.
func TestOutage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 20)
		back := time.Now().Add(time.Hour)
		w.sink.answer = func(int, string) (delivery.Reply, bool) {
			if time.Now().Before(back) {
				return delivery.Reply{Outcome: delivery.NotSent}, false
			}
			return delivery.Reply{Outcome: delivery.Taken, Code: 250}, true
		}
		w.start()
		_, stop := run(t, w.options())
		defer stop()
		time.Sleep(59 * time.Minute)
		if n := w.sink.total(); n > 2*2*60*2 {
			t.Errorf("%d attempts in an hour without a server", n)
		}
		time.Sleep(2 * time.Minute)
		if is := w.finish(); is.Result != (campaign.Finished{Sent: 20}) {
			t.Errorf("finished with %+v, want all sent", is.Result)
		}
	})
}

// stopped composes for the first recipient only once the campaign is paused.
type stopped struct {
	composer
	once  *sync.Once
	pause func()
}

func (c stopped) Compile(context.Context, sending.Mailing) (sending.Mailer, error) { return c, nil }

func (c stopped) Message(ctx context.Context, dst []byte, r sending.Recipient) (sending.Message, error) {
	c.once.Do(func() {
		c.pause()
		time.Sleep(time.Second)
	})
	return c.composer.Message(ctx, dst, r)
}

// A pause that comes while a message is being made is in time for it.
func TestPauseWhileComposing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 5)
		o := w.one()
		o.Composer = stopped{once: &sync.Once{}, pause: func() { w.ask(commands.PauseCampaign{Campaign: w.campaign}) }}
		w.start()
		_, stop := run(t, o)
		defer stop()
		time.Sleep(time.Minute)
		if n := w.sink.total(); n != 0 {
			t.Errorf("%d messages left a paused campaign", n)
		}
		w.ask(commands.ResumeCampaign{Campaign: w.campaign})
		if is := w.finish(); is.Result != (campaign.Finished{Sent: 5}) {
			t.Errorf("finished with %+v, want all sent", is.Result)
		}
	})
}

// gradual gives a page a second.
type gradual struct{ sending.Journal }

func (g gradual) Follow(ctx context.Context, after event.Position, types []string, batch int) iter.Seq2[eventlog.RecordedPage, error] {
	return func(yield func(eventlog.RecordedPage, error) bool) {
		for page, err := range g.Journal.Follow(ctx, after, types, batch) {
			if !yield(page, err) {
				return
			}
			time.Sleep(time.Second)
		}
	}
}

// A worker that comes up does not begin what was over long ago, however much
// of the log lies between.
func TestCatchingUpBeginsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 5)
		w.start()
		other := campaign.Stream(w.account.Derive("another campaign"))
		w.append(other, domain.ID{}, campaign.Drafted{})
		for range 12 {
			edits := make([]any, 100)
			for i := range edits {
				edits[i] = campaign.Edited{}
			}
			w.append(other, domain.ID{}, edits...)
		}
		w.ask(commands.CancelCampaign{Campaign: w.campaign})
		before, _ := w.journal.Head(t.Context())
		o := w.options()
		o.Journal = gradual{w.journal}
		_, stop := run(t, o)
		defer stop()
		time.Sleep(time.Minute)
		if after, _ := w.journal.Head(t.Context()); after != before || w.sink.total() > 0 {
			t.Errorf("%d events and %d messages for a campaign that was cancelled", after-before, w.sink.total())
		}
	})
}

// A worker that is stopped before it ran does nothing when it runs after all.
func TestStopBeforeRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 3)
		w.start()
		s := sending.New(w.options())
		if err := s.Stop(t.Context()); err != nil {
			t.Error(err)
		}
		if err := s.Run(t.Context()); err != nil || w.sink.total() > 0 {
			t.Errorf("ran: %v, %d messages", err, w.sink.total())
		}
	})
}
