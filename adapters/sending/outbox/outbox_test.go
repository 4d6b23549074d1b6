package outbox_test

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cleversender/cleversender/adapters/sending"
	"github.com/cleversender/cleversender/adapters/sending/outbox"
	"github.com/cleversender/cleversender/commands"
	"github.com/cleversender/cleversender/domain"
	"github.com/cleversender/cleversender/domain/consent"
	"github.com/cleversender/cleversender/domain/delivery"
	"github.com/cleversender/cleversender/domain/event"
	"github.com/cleversender/cleversender/domain/message"
	"github.com/cleversender/cleversender/domain/subscriber"
)

// What was asked for before the worker began leaves, and so does what is asked
// for while it runs, with what the account said.
func TestSent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		ask(w, 3)
		defer run(t, w.options())()
		w.settled(3)
		w.ask(3)
		w.settled(4)
		w.all(4, message.Sent)
		if want := letter(3).String() + " Reader 17"; w.sink.data[3] != want {
			t.Errorf("sent %q, want %q", w.sink.data[3], want)
		}
	})
}

// Who is restricted or whose address takes no mail gets no message; who
// complained of, or objected to, marketing gets what they asked for.
func TestHeldBack(t *testing.T) {
	for name, c := range map[string]struct {
		past   func(w *world)
		status message.Status
		reason delivery.Reason
	}{
		"nothing":      {func(*world) {}, message.Sent, ""},
		"complaint":    {func(w *world) { w.suppress(0, subscriber.Complaint) }, message.Sent, ""},
		"objection":    {func(w *world) { handle(w, commands.ObjectSubscriber{Person: person(0), Method: consent.ByForm}) }, message.Sent, ""},
		"hard bounce":  {func(w *world) { w.suppress(0, subscriber.HardBounce) }, message.Excluded, delivery.Suppressed},
		"soft bounces": {func(w *world) { w.suppress(0, subscriber.SoftBounces) }, message.Excluded, delivery.Suppressed},
		"by hand":      {func(w *world) { w.suppress(0, subscriber.Manual) }, message.Excluded, delivery.Suppressed},
		"restriction":  {func(w *world) { handle(w, commands.RestrictSubscriber{Person: person(0)}) }, message.Excluded, delivery.Restricted},
		"erasure":      {func(w *world) { w.erase(0) }, message.Excluded, delivery.Erased},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				w.ask(0)
				c.past(w)
				defer run(t, w.options())()
				w.settled(1)
				w.all(1, c.status)
				if why := w.withheld(0); why != c.reason {
					t.Errorf("withheld for %q, want %q", why, c.reason)
				}
				if got := w.sink.count(0); got == 1 != (c.status == message.Sent) {
					t.Errorf("taken %d times", got)
				}
			})
		})
	}
}

func (w *world) withheld(i int) delivery.Reason {
	past, err := w.journal.Load(context.Background(), message.Stream(letter(i)))
	if err != nil {
		w.t.Fatal(err)
	}
	e, _ := past[len(past)-1].Data.(message.Withheld)
	return e.Reason
}

// before does something else right before an intent is recorded.
type before struct {
	outbox.Journal
	do func()
}

// Record implements commands.Log.
func (b before) Record(ctx context.Context, stream string, expect uint64, drafts []event.Draft) (event.Position, error) {
	if _, intends := drafts[0].Data.(message.Intended); intends {
		b.do()
	}
	return b.Journal.Record(ctx, stream, expect, drafts)
}

// What holds mail back counts up to the intent, although the message was made
// before; who is erased then loses nothing but the message.
func TestHeldBackAtTheLastMoment(t *testing.T) {
	for why, do := range map[delivery.Reason]func(w *world){
		delivery.Restricted: func(w *world) { handle(w, commands.RestrictSubscriber{Person: person(0)}) },
		delivery.Erased:     func(w *world) { w.erase(0) },
	} {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t)
			w.ask(0)
			o := w.options()
			o.Journal = before{w.journal, func() { do(w) }}
			defer run(t, o)()
			w.settled(1)
			if got := w.withheld(0); got != why || w.sink.count(0) != 0 {
				t.Errorf("withheld for %q, want %q; taken %d times", got, why, w.sink.count(0))
			}
		})
	}
}

// Who is erased while the server answers: the result is kept, its words are not.
func TestErasedMeanwhile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.ask(0)
		w.sink.answer = func(int, string) (delivery.Reply, bool) {
			w.erase(0)
			return delivery.Reply{Outcome: delivery.Never, Code: 550, Text: "no such reader"}, false
		}
		defer run(t, w.options())()
		w.settled(1)
		w.all(1, message.Undelivered)
	})
}

// slow lets time pass between a load and what is decided on it.
type slow struct{ outbox.Journal }

// Load implements commands.Log.
func (s slow) Load(ctx context.Context, stream string) ([]event.Recorded, error) {
	past, err := s.Journal.Load(ctx, stream)
	time.Sleep(time.Second)
	return past, err
}

// Two workers on one log that have both seen that a message is due get
// everybody their message once.
func TestTwoWorkers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		ask(w, 4)
		for range 2 {
			o := w.options()
			o.Journal = slow{w.journal}
			defer run(t, o)()
		}
		w.ask(4)
		w.settled(several)
		w.once(0)
	})
}

// A server's "not now" is tried again after each pause, and is final then.
func TestRetries(t *testing.T) {
	for refusals, want := range []message.Status{message.Sent, message.Sent, message.Sent, message.Undelivered} {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t)
			w.ask(0)
			var at []time.Duration
			began := time.Now()
			w.sink.answer = func(n int, _ string) (delivery.Reply, bool) {
				at = append(at, time.Since(began))
				if n <= refusals {
					return delivery.Reply{Outcome: delivery.NotNow, Code: 451, Text: "later"}, false
				}
				return yes, true
			}
			o := w.options()
			o.Retries = []time.Duration{time.Minute, time.Hour}
			defer run(t, o)()
			w.settled(1)
			w.all(1, want)
			for i, pause := range []time.Duration{0, time.Minute, time.Minute + time.Hour}[:len(at)] {
				if at[i] < pause || at[i] > pause+time.Second {
					t.Errorf("try %d after %v, want %v", i+1, at[i], pause)
				}
			}
		})
	}
}

// A worker that takes over keeps the pause that the one before it began.
func TestPauseSurvives(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.ask(0)
		began, second := time.Now(), time.Duration(0)
		w.sink.answer = func(n int, _ string) (delivery.Reply, bool) {
			if n == 1 {
				return delivery.Reply{Outcome: delivery.NotNow, Code: 451}, false
			}
			second = time.Since(began)
			return yes, true
		}
		o := w.options()
		o.Retries = []time.Duration{time.Hour}
		stop := run(t, o)
		time.Sleep(10 * time.Minute)
		stop()
		defer run(t, o)()
		w.settled(1)
		if second < time.Hour || second > time.Hour+time.Minute {
			t.Errorf("tried again after %v, want an hour", second)
		}
	})
}

// While no server can be reached, one message at a time finds out when one is
// back, and then everybody gets theirs.
func TestNoServer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		var tries atomic.Int32 // two connections ask at once
		back := time.Now().Add(time.Hour)
		w.sink.answer = func(int, string) (delivery.Reply, bool) {
			if time.Now().Before(back) {
				tries.Add(1)
				return delivery.Reply{Outcome: delivery.NotSent}, false
			}
			return yes, true
		}
		ask(w, several)
		defer run(t, w.options())()
		w.settled(several)
		w.once(0)
		if n := tries.Load(); n > 150 {
			t.Errorf("%d tries in an hour without a server", n)
		}
	})
}

// A message that can never leave fails in the end, and holds nobody up.
func TestUnreachable(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, began := newWorld(t), time.Now()
		var asked time.Time
		knocks, waited := 0, time.Hour
		w.sink.answer = func(_ int, to string) (delivery.Reply, bool) {
			if to != address(0) {
				waited = time.Since(asked)
				return yes, true
			}
			if knocks++; knocks == 8 {
				time.AfterFunc(10*time.Millisecond, func() { asked = time.Now(); w.ask(1) })
			}
			return delivery.Reply{Outcome: delivery.NotSent}, false
		}
		w.ask(0)
		defer run(t, w.options())()
		time.Sleep(time.Second)
		w.ask(2) // gets through, so it is not the network
		time.Sleep(time.Hour)
		w.settled(3)
		w.all(1, message.Undelivered)
		if took := time.Since(began); took < 4*time.Hour || took > 5*time.Hour {
			t.Errorf("failed after %v", took)
		}
		if waited > 100*time.Millisecond {
			t.Errorf("another message waited for %v", waited)
		}
	})
}

// A message in doubt is sent again only when it is asked for, as the same message.
func TestResend(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.ask(0)
		w.sink.answer = func(n int, _ string) (delivery.Reply, bool) {
			if n == 1 {
				return delivery.Reply{}, true
			}
			return yes, true
		}
		stop := run(t, w.options())
		w.settled(1)
		stop()
		defer run(t, w.options())()
		time.Sleep(time.Hour)
		if w.all(1, message.InDoubt); w.sink.count(0) != 1 {
			t.Fatalf("taken %d times before it was asked for", w.sink.count(0))
		}
		handle(w, commands.ResendMessage{Message: letter(0), Person: person(0)})
		w.settled(1)
		if w.all(1, message.Sent); len(w.sink.data) != 2 || w.sink.data[0] != w.sink.data[1] {
			t.Errorf("sent %q", w.sink.data)
		}
	})
}

// A worker that was taken for dead and lives after all settles the doubt.
func TestTakenForDead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, answered := newWorld(t), make(chan struct{})
		w.ask(0)
		w.sink.answer = func(int, string) (delivery.Reply, bool) { <-answered; return yes, true }
		defer run(t, w.options())()
		synctest.Wait()
		defer run(t, w.options())()
		synctest.Wait()
		w.all(1, message.InDoubt)
		close(answered)
		synctest.Wait()
		if w.all(1, message.Sent); w.sink.count(0) != 1 {
			t.Errorf("taken %d times", w.sink.count(0))
		}
	})
}

// A message that cannot be made fails; a fault while it is made is no result.
func TestCompose(t *testing.T) {
	refusal := domain.Refuse("template_too_slow", "it takes too long")
	for name, c := range map[string]struct {
		first func() (sending.Message, error)
		want  message.Status
	}{
		"refused": {func() (sending.Message, error) { return sending.Message{}, refusal }, message.Undelivered},
		"panics":  {func() (sending.Message, error) { panic("filter") }, message.Undelivered},
		"a fault": {func() (sending.Message, error) { return sending.Message{}, errors.New("disk") }, message.Sent},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w, n := newWorld(t), 0
				w.ask(0)
				o := w.options()
				o.Compose = func(ctx context.Context, order outbox.Order) (sending.Message, error) {
					if n++; n == 1 {
						return c.first()
					}
					return compose(ctx, order)
				}
				defer run(t, o)()
				w.settled(1)
				w.all(1, c.want)
			})
		})
	}
}

// Stop lets the message that is under way end, and begins no other.
func TestStop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		ask(w, several)
		w.sink.answer = func(int, string) (delivery.Reply, bool) { time.Sleep(time.Minute); return yes, true }
		stop := run(t, w.options())
		time.Sleep(time.Second)
		stop()
		sent := 0
		for i := range several {
			switch s := w.state(i).Status; s {
			case message.Sent:
				sent++
			case message.Waiting:
			default:
				t.Errorf("message %d is %s", i, s)
			}
		}
		if sent != 2 { // as many as connections
			t.Errorf("%d sent", sent)
		}
	})
}

// A worker that is stopped before it began ends at once.
func TestStopBeforeRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.ask(0)
		o := outbox.New(w.options())
		if err := errors.Join(o.Stop(t.Context()), o.Run(t.Context())); err != nil {
			t.Fatal(err)
		}
		w.all(1, message.Waiting)
	})
}

// limits let a message to a domain pass once a minute is over.
type limits struct {
	mu    sync.Mutex
	from  time.Time
	asked int
	turns []sending.Turn
	heard []bool // tried?
}

// Open implements sending.Limits.
func (l *limits) Open(sending.Turn, time.Time) (int, time.Time) { return 1, time.Time{} }

// Admit implements sending.Limits.
func (l *limits) Admit(t sending.Turn, now time.Time) (time.Time, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.asked++
	if now.Before(l.from) {
		return l.from, false
	}
	l.turns = append(l.turns, t)
	return time.Time{}, true
}

// Heard implements sending.Limits.
func (l *limits) Heard(_ sending.Turn, _ delivery.Reply, tried bool, _ time.Time) string {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.heard = append(l.heard, tried)
	return ""
}

// Whom a limit holds back waits with nothing recorded; every place that was
// taken is told of once, also when nothing leaves.
func TestLimits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		ask(w, 2)
		w.suppress(1, subscriber.HardBounce)
		l := &limits{from: time.Now().Add(time.Minute)}
		o := w.options()
		o.Limits, o.Connections = l, 1
		defer run(t, o)()
		time.Sleep(30 * time.Second)
		w.all(2, message.Waiting)
		w.settled(2)
		if len(l.turns) != 2 || l.turns[0].Domain != "example.org" || l.turns[0].Account != w.account || l.turns[0].Settings.FromEmail != "shop@example.com" {
			t.Errorf("asked for %+v", l.turns)
		}
		if len(l.heard) != 2 || l.heard[0] == l.heard[1] {
			t.Errorf("told of tries %v", l.heard)
		}
	})
}

// What is logged names no person.
func TestLogsNoAddress(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, log := newWorld(t), &strings.Builder{}
		w.ask(0)
		o := w.options()
		o.Logger = slog.New(slog.NewTextHandler(log, nil))
		n := 0
		o.Compose = func(ctx context.Context, order outbox.Order) (sending.Message, error) {
			if n++; n == 1 {
				return sending.Message{}, errors.New("disk")
			}
			return compose(ctx, order)
		}
		w.sink.answer = func(int, string) (delivery.Reply, bool) { return delivery.Reply{Text: address(0)}, true }
		stop := run(t, o)
		w.settled(1)
		stop()
		if log.Len() == 0 || strings.Contains(log.String(), address(0)) {
			t.Errorf("logged: %s", log)
		}
	})
}
