package outbox

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/cleversender/cleversender/adapters/sending"
	"github.com/cleversender/cleversender/commands"
	"github.com/cleversender/cleversender/domain"
	"github.com/cleversender/cleversender/domain/campaign"
	"github.com/cleversender/cleversender/domain/delivery"
	"github.com/cleversender/cleversender/domain/event"
	"github.com/cleversender/cleversender/domain/message"
)

// turn is one message's turn.
type turn struct {
	*Outbox
	item
	ctx   context.Context // for the log: goes on when the worker stops
	req   commands.Request
	owner *commands.Owner[message.Message, message.Event]
}

// deliver gives a message its turn; ok: it has another, as next.
func (w *Outbox) deliver(ctx context.Context, it item) (next item, ok bool) {
	t := &turn{Outbox: w, item: it, ctx: ctx, req: commands.Request{ID: newID(), Account: it.account}}
	again, err := t.take()
	switch {
	case err == nil:
		t.due = again
		return t.item, !again.IsZero()
	case ctx.Err() != nil, errors.Is(err, domain.ErrConflict): // the worker's end; or another has the message
		return it, false
	}
	w.metrics.faults.Inc()
	w.o.Logger.Warn("outbox: a message is put aside", "message", it.message, "error", err)
	it.due = time.Now().Add(time.Second)
	return it, true
}

// mine reports whether the message has yet to leave, and this is the turn for
// it: after each deferral it has another.
func (t *turn) mine() bool {
	s := t.owner.State
	return s.Status == message.Waiting || s.Status == message.Again && t.tries == s.Tries+s.Knocks
}

// take goes the message's whole way: load, make, limits, intend, person, transmit, record.
func (t *turn) take() (again time.Time, err error) {
	if err := t.persist(t.ctx, "load a message", func() (err error) {
		t.owner, err = commands.Own[message.Message, message.Event](t.ctx, t.o.Journal, t.account, message.Stream(t.message))
		return err
	}); err != nil || !t.mine() {
		return again, err
	}
	order, ok := t.order()
	if !ok {
		return again, t.withhold(delivery.Erased)
	}
	made, err := t.made(order)
	if err != nil && !refused(err) {
		return again, fmt.Errorf("make a message: %w", err)
	}
	reply := delivery.Reply{Outcome: delivery.NotMade}
	if err != nil {
		if err := t.intend(); err != nil {
			return again, err
		}
		return t.record(reply)
	}
	place := sending.Turn{ // an account's single messages are for limits what a campaign is
		Account: t.account, Campaign: t.account, Domain: sending.DomainOf(order.Email),
		Settings: campaign.Settings{FromEmail: made.Author, Server: made.Server},
	}
	if t.o.Limits != nil {
		if again, ok := t.o.Limits.Admit(place, time.Now()); !ok {
			return again, nil
		}
	}
	reply, tried, err := t.send(made)
	if t.o.Limits != nil {
		t.o.Limits.Heard(place, reply, tried, time.Now())
	}
	if err != nil || !tried {
		return again, err
	}
	t.heard(reply, t.owner.State.Knocks > 0)
	return t.record(reply)
}

// order is the message in the clear; not ok: its person is erased.
func (t *turn) order() (o Order, ok bool) {
	o = Order{Account: t.account, Message: t.message, Requested: t.owner.State.Requested}
	if o.Email, ok = o.To.Reveal(); !ok {
		return o, false
	}
	o.Name, _ = o.Requested.Name.Reveal()
	o.Variables, _ = o.Requested.Variables.Reveal()
	return o, true
}

var errPanicked = domain.Refuse("composing_panicked", "the message cannot be made")

// made keeps a template's panic from taking the worker down.
func (t *turn) made(o Order) (m sending.Message, err error) {
	defer func() {
		if recover() != nil {
			err = errPanicked
		}
	}()
	return t.o.Compose(t.ctx, o)
}

// send intends the message and transmits it, unless its person is not to get
// it, which is recorded then: not tried.
func (t *turn) send(m sending.Message) (reply delivery.Reply, tried bool, err error) {
	if err := t.intend(); err != nil {
		return reply, false, err
	}
	why, err := t.heldBack()
	if errors.Is(err, event.ErrNewer) { // whether it may leave is for a newer node to say
		return delivery.Reply{Outcome: delivery.NotSent}, true, nil
	}
	if err == nil && why != "" {
		err = t.withhold(why)
	}
	if err != nil || why != "" {
		return reply, false, err
	}
	began := time.Now()
	reply = t.o.Transport.Send(t.wire, m)
	t.metrics.seconds.Observe(time.Since(began).Seconds())
	if reply.Outcome == delivery.NotNow && reply.Code == 0 {
		reply.Outcome = delivery.NotSent // nobody said so: nothing was asked
	}
	return reply, true, nil
}

func refused(err error) bool {
	var refusal domain.Refusal
	return errors.As(err, &refusal)
}
