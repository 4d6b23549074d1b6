package record_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cleversender/cleversender/adapters/bounce/record"
	"github.com/cleversender/cleversender/domain"
	"github.com/cleversender/cleversender/domain/bounce"
	"github.com/cleversender/cleversender/domain/delivery"
	"github.com/cleversender/cleversender/domain/event"
	"github.com/cleversender/cleversender/domain/message"
	"github.com/cleversender/cleversender/domain/personal"
	"github.com/cleversender/cleversender/domain/subscriber"
)

// fails is a server's no to a recipient of the campaign.
func (w *world) fails(ordinal, code int, enhanced, text string) {
	w.add(delivery.Stream(campaign, 0), person(ordinal), delivery.Failed{
		Campaign: campaign, Ordinal: ordinal, Code: code, Enhanced: enhanced, Reason: delivery.Rejected, Reply: personal.Of(text),
	})
}

// catchUp runs a recorder until it has nothing more to do.
func catchUp(t *testing.T, r *record.Recorder) {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { ended <- r.Run(ctx) }()
	synctest.Wait()
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

// A server's no counts as what it says of the mailbox: by its status, by its
// words, and by its code alone at most as a soft bounce.
func TestRefusals(t *testing.T) {
	for _, c := range []struct {
		code           int
		enhanced, text string
		want           string
	}{
		{550, "5.1.1", "", "hard suppressed:hard_bounce"},
		{550, "", "no such user here", "hard suppressed:hard_bounce"},
		{550, "", "no", "soft"},
		{553, "", "your envelope sender is in my list", "soft"},
		{550, "5.7.515", "Access denied", "block"},
		{452, "4.2.2", "mailbox full", "soft"}, // given up after some tries
		{503, "", "bad sequence", ""},
		{0, "", "", ""}, // it never came to a server
	} {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t, 2)
			w.fails(1, c.code, c.enhanced, c.text)
			catchUp(t, w.Recorder)
			if got := w.told(1); got != c.want || w.told(0) != "" {
				t.Errorf("%d %s %s: %s, want %s", c.code, c.enhanced, c.text, got, c.want)
			}
			if c.code == 0 && w.counted() != "" {
				t.Errorf("no server's word counts as one: %s", w.counted())
			}
		})
	}
}

// A refusal of a message outside every campaign counts, too.
func TestSingleMessageRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 1)
		w.add(message.Stream(single), person(0), message.Failed{Code: 550, Enhanced: "5.1.1", Reason: delivery.Rejected})
		catchUp(t, w.Recorder)
		past, err := w.journal.Load(t.Context(), subscriber.Stream(person(0)))
		if err != nil || w.told(0) != "hard suppressed:hard_bounce" {
			t.Fatal(err, w.told(0))
		}
		if got := past[1].Data.(bounce.Received).Letter(); got != (bounce.Letter{Message: single}) {
			t.Error(got)
		}
	})
}

// Who follows goes on from where it was, and does as they come.
func TestFollows(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 3)
		w.fails(0, 550, "5.1.1", "")
		catchUp(t, w.Recorder)
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan error)
		go func() { ended <- w.Run(ctx) }()
		for i := 1; i < 3; i++ {
			synctest.Wait()
			w.fails(i, 550, "5.1.1", "")
		}
		synctest.Wait()
		if head, err := w.journal.Head(ctx); err != nil || w.cursor.at+2 < head { // its own two events came later
			t.Error(w.cursor.at, head, err)
		}
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		if got := w.counted(); got != "hard recorded smtp 3" {
			t.Errorf("counted %s: something was read again, or never", got)
		}
	})
}

// While it is another node's turn, nothing is recorded; what this one recorded
// when its turn was over already is known to the next.
func TestTurns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 3)
		w.cursor.take(true)
		w.fails(0, 550, "5.1.1", "")
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan error)
		go func() { ended <- w.Run(ctx) }()
		time.Sleep(time.Minute)
		if w.counted() != "" {
			t.Errorf("counted %s out of turn", w.counted())
		}
		w.cursor.take(false)
		time.Sleep(time.Minute)
		w.cursor.take(true) // it was paused, and has not heard of it
		w.fails(1, 550, "5.1.1", "")
		time.Sleep(time.Minute)
		w.cursor.take(false)
		time.Sleep(time.Minute)
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		if got := w.counted(); got != "hard ignored smtp 1; hard recorded smtp 2" || strings.Contains(w.log.String(), "WARN") {
			t.Errorf("counted %s: %s", got, w.log.String())
		}
		for i := range 2 {
			if got := w.told(i); got != "hard suppressed:hard_bounce" {
				t.Errorf("recipient %d: %s", i, got)
			}
		}
	})
}

// killer ends a recorder at the n-th step that writes: the step has failed and
// is not done, or has failed and is done.
type killer struct {
	*world
	record.Journal
	at, step int
	done     bool
	kill     context.CancelFunc
}

var errKilled = errors.New("killed")

func (k *killer) try(do func() error) error {
	k.cursor.mu.Lock()
	k.step++
	now := k.step == k.at
	k.cursor.mu.Unlock()
	if !now {
		return do()
	}
	k.kill()
	if k.done {
		_ = do()
	}
	return errKilled
}

func (k *killer) Record(ctx context.Context, stream string, expect uint64, drafts []event.Draft) (at event.Position, err error) {
	return at, k.try(func() error {
		at, err = k.Journal.Record(context.WithoutCancel(ctx), stream, expect, drafts)
		return err
	})
}

// Turn, Leave and Save make it a cursor, too.
func (k *killer) Turn(ctx context.Context) (event.Position, bool, error) { return k.cursor.Turn(ctx) }

func (k *killer) Leave(ctx context.Context) error { return k.cursor.Leave(ctx) }

func (k *killer) Save(ctx context.Context, from, to event.Position) error {
	return k.try(func() error { return k.cursor.Save(ctx, from, to) })
}

// Killed at any step, before it is done or after: who starts anew loses no
// refusal, and records none twice.
func TestKilledAtEachStep(t *testing.T) {
	const people = 5
	steps := 0
	for _, done := range []bool{false, true} {
		for at := 1; ; at++ {
			reached := false
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, people)
				for i := range people {
					w.fails(i, 550, "5.1.1", "")
				}
				ctx, kill := context.WithCancel(t.Context())
				defer kill()
				k := &killer{world: w, Journal: w.journal, at: at, done: done, kill: kill}
				o := w.options(k)
				o.Cursor, o.Metrics = k, nil
				ended := make(chan error)
				go func() { ended <- record.New(o).Run(ctx) }()
				synctest.Wait()
				kill()
				if err := <-ended; err != nil {
					t.Error(err)
				}
				reached = k.step >= at
				catchUp(t, w.Recorder)
				for i := range people {
					if got := w.told(i); got != "hard suppressed:hard_bounce" {
						t.Errorf("step %d, done %v: recipient %d: %s", at, done, i, got)
					}
				}
				if head, err := w.journal.Head(t.Context()); err != nil || w.cursor.at > head || strings.Contains(w.counted(), "forged") {
					t.Error(w.cursor.at, head, err)
				}
			})
			if !reached {
				break
			}
			steps++
		}
	}
	if steps < 2*(people+1) {
		t.Error("only", steps, "steps were tried")
	}
}

// More refusals than a page has, all of one person among many, are all known.
func TestManyRefusals(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 1)
		const n = 40
		for i := range n {
			of := domain.ID{9, 15: byte(i)}
			w.add(delivery.Stream(of, 0), person(0), delivery.Failed{Campaign: of, Code: 550, Enhanced: "5.7.1", Reply: personal.Of("spam")})
		}
		catchUp(t, w.Recorder)
		if got := strings.Count(w.told(0), "block"); got != n {
			t.Error(fmt.Sprint(got, " of ", n, ": ", w.counted()))
		}
	})
}
