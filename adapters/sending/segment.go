package sending

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/cleversender/cleversender/adapters/sending/again"
	"github.com/cleversender/cleversender/commands"
	"github.com/cleversender/cleversender/domain"
	"github.com/cleversender/cleversender/domain/campaign"
	"github.com/cleversender/cleversender/domain/delivery"
	"github.com/cleversender/cleversender/domain/event"
)

// segment is one that this worker holds. One goroutine uses it; until alone is
// read by the connections.
type segment struct {
	Mailing
	sender  *Sender
	mailing *mailing
	mailer  Mailer
	knocks  *knocks
	number  int
	held    map[int]time.Time // by ordinal: held back by a limit, until then
	places  map[int]string    // by ordinal: admitted, and not heard of yet; to which domain
	ctx     context.Context   // for appends: goes on when the campaign is paused
	owner   *commands.Owner[delivery.Segment, delivery.Event]
	worker  domain.ID // of this claim
	steps   int
	until   atomic.Int64 // when the lease is over, Unix nanoseconds
}

// visit is what came of working at a segment.
type visit struct {
	number int
	done   bool
	totals delivery.Totals // when done
	again  time.Time       // otherwise, when it is worth coming back
	passes int             // over those who were deferred
	retry  time.Time       // when the next of them is due
	err    error
}

// visit claims a segment and works at it until it is done, or there is
// nothing to do just now, or live ends.
func (s *Sender) visit(ctx, live context.Context, m Mailing, mailer Mailer, of *mailing, e errand) visit {
	g := &segment{
		Mailing: m, sender: s, mailing: of, mailer: mailer, knocks: &of.knocks, number: e.number, ctx: ctx,
		held: map[int]time.Time{}, places: map[int]string{},
	}
	v := visit{number: e.number, passes: e.passes, retry: e.retry}
	if v.err = s.persist(live, "load a segment", func() (err error) {
		g.owner, err = commands.Own[delivery.Segment, delivery.Event](ctx, s.o.Journal, m.Account, delivery.Stream(m.Campaign, e.number))
		return err
	}); v.err != nil {
		return v
	}
	if v.err = g.reopen(); v.err != nil {
		return v
	}
	if v.done = g.state().Done(); v.done {
		v.totals = g.state().Totals()
		return v
	}
	switch err := g.claim(); {
	case errors.Is(err, delivery.ErrClaimed), errors.Is(err, domain.ErrConflict):
		v.again = lookAgain(g.state().Until, time.Now())
		return v
	case err != nil:
		v.err = err
		return v
	}
	s.metrics.segments.Inc()
	defer s.metrics.segments.Dec()
	v.err = g.work(live, &v)
	if v.done = g.state().Done(); v.done && v.err == nil {
		v.totals = g.state().Totals()
		return v
	}
	if !errors.Is(v.err, domain.ErrConflict) {
		v.err = errors.Join(v.err, g.release())
	}
	return v
}

// lookAgain is when another's segment may be free, or done: at the end of the
// lease, but every few seconds, since leases are also released.
func lookAgain(until, now time.Time) time.Time {
	wait := min(max(until.Sub(now), 100*time.Millisecond), 5*time.Second)
	return now.Add(wait)
}

func (g *segment) state() delivery.Segment { return g.owner.State }

// reopen gives those in doubt their turn again, when the campaign's account
// asked for it since they came to be.
func (g *segment) reopen() error {
	resends := g.sender.stateOf(g.mailing).Resends
	if !g.state().Reopens(resends) {
		return nil
	}
	g.worker = newID()
	_, err := g.do("reopen a segment", commands.ReopenSegment{Campaign: g.Campaign, Segment: g.number, Resend: resends})
	return err
}

// claim takes the segment under a new worker id: what the last holder left
// without a result is in doubt from here on.
func (g *segment) claim() error {
	g.worker = newID()
	before := g.state().Totals().Unknown
	err := g.hold("claim a segment", g.sender.o.Lease)
	g.sender.metrics.sends.WithLabelValues(sendResults[delivery.Unclear]).Add(float64(g.state().Totals().Unknown - before))
	return err
}

// hold appends a claim that ends after lease.
func (g *segment) hold(what string, lease time.Duration) error {
	now := time.Now()
	until := now.Add(lease)
	if g.sender.o.Sole && g.state().Until.After(now) {
		now = g.state().Until // whoever else holds it is dead
	}
	_, err := g.do(what, commands.ClaimSegment{
		Campaign: g.Campaign, Segment: g.number, Worker: g.worker, Until: until, Now: now,
	})
	if err == nil {
		g.until.Store(until.UnixNano())
	}
	return err
}

// renew makes the lease longer once half of it is over.
func (g *segment) renew() error {
	if time.Until(time.Unix(0, g.until.Load())) > g.sender.o.Lease/2 {
		return nil
	}
	return g.hold("renew a claim", g.sender.o.Lease)
}

// release gives the segment up, so that the next holder need not wait.
func (g *segment) release() error {
	g.until.Store(0)
	err := g.hold("release a segment", 0)
	if errors.Is(err, delivery.ErrDone) {
		return nil
	}
	return err
}

// doubt turns intents that nobody knows the result of into what they are.
func (g *segment) doubt() error {
	if err := g.release(); err != nil {
		return err
	}
	return g.claim()
}

// do appends what a command decides, again and again until it is durable. The
// request's id is the claim's and the step's, so that an append that reported
// failure and was done is not done twice.
func (g *segment) do(what string, c commands.Command[delivery.Segment, delivery.Event]) (event.Position, error) {
	g.steps++
	req := commands.Request{
		ID:      g.worker.Derive(strconv.Itoa(g.steps)),
		Account: g.Account, Correlation: g.Campaign,
	}
	var done commands.Done
	err := g.sender.persist(g.ctx, what, func() (err error) {
		done, err = g.owner.Do(g.ctx, req, c)
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("%s, segment %d of campaign %s: %w", what, g.number, campaign.ID(g.Campaign), err)
	}
	return done.Position, nil
}

// work goes over those who wait and do not rest, and over those who were
// deferred once their pause is over; in either case not over whom a limit holds back.
func (g *segment) work(live context.Context, v *visit) error {
	for live.Err() == nil && !g.state().Done() {
		turn, rested := g.knocks.rested(g.state().Waiting())
		turn, held := g.rests(turn)
		fresh := len(turn) > 0
		if !fresh {
			var more time.Time
			turn, more = g.rests(g.deferred(v))
			held = earlier(held, more)
		}
		rested = earlier(rested, held)
		switch {
		case len(turn) > 0:
		case rested.IsZero() && v.retry.IsZero(): // only results that never came are left
			return g.doubt()
		default:
			if v.again = rested; v.retry.After(time.Now()) {
				v.again = earlier(rested, v.retry)
			}
			if !g.linger(live, v.again) {
				return nil
			}
			continue
		}
		if stuck, err := g.pass(live, turn); err != nil || stuck {
			v.again = time.Now()
			return err
		}
		if !fresh && len(g.held) == 0 {
			v.retry = time.Time{}
		}
	}
	return nil
}

// deferred gives those to whom a server said not now, once the pause before
// their turn is over. It begins here, and ends with that turn.
func (g *segment) deferred(v *visit) []delivery.Recipient {
	turn := g.state().Deferred()
	switch {
	case len(turn) == 0:
		v.retry = time.Time{}
	case v.retry.IsZero():
		v.retry = time.Now().Add(g.pause(v.passes))
		v.passes++
		return nil
	case time.Now().Before(v.retry):
		return nil
	}
	return turn
}

func (g *segment) pause(passes int) time.Duration {
	if len(g.sender.o.Retries) == 0 {
		return 0
	}
	return g.sender.o.Retries[min(passes, len(g.sender.o.Retries)-1)]
}

// pass gives each of these people a turn, chunk by chunk. It is stuck when no
// server can be reached.
func (g *segment) pass(live context.Context, turn []delivery.Recipient) (stuck bool, err error) {
	for len(turn) > 0 && live.Err() == nil {
		n := min(len(turn), g.sender.stride.size(g.sender.o.Window))
		closed, _ := g.sender.door.closed()
		if closed {
			if !g.sender.door.probe() {
				return true, nil
			}
			n = 1
		}
		open, again := g.sender.open(g.mailing)
		if open == 0 {
			if !g.patient(live, turn, again) {
				return false, nil
			}
			continue
		}
		n = min(n, open)
		if err := g.renew(); err != nil {
			return false, err
		}
		if err := g.send(live, turn[:n], closed); err != nil {
			return false, err
		}
		turn = turn[n:]
	}
	return false, nil
}

// linger waits for a time that is near, unless another segment wants the place:
// giving a segment up and taking it again costs more than a second's wait.
func (g *segment) linger(live context.Context, until time.Time) bool {
	wait := time.Until(until)
	if wait > time.Second || g.sender.wanted.Load() > 0 {
		return false
	}
	return again.Sleep(live, max(wait, time.Millisecond))
}

// patient waits for the campaign to be let on, if that is soon; otherwise it
// holds this turn back until then.
func (g *segment) patient(live context.Context, turn []delivery.Recipient, again time.Time) bool {
	if g.linger(live, again) {
		return true
	}
	for _, r := range turn {
		g.held[r.Ordinal] = again
	}
	return false
}
