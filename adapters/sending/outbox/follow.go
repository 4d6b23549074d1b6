package outbox

import (
	"context"
	"errors"
	"time"

	"github.com/cleversender/cleversender/adapters/sending/again"
	"github.com/cleversender/cleversender/commands"
	"github.com/cleversender/cleversender/domain"
	"github.com/cleversender/cleversender/domain/event"
	"github.com/cleversender/cleversender/domain/message"
	"github.com/cleversender/cleversender/projections"
	"github.com/cleversender/cleversender/projections/messages"
)

// follow queues what was asked for before, and then what is asked for. It
// returns when ctx ends.
func (w *Outbox) follow(ctx context.Context) error {
	head, err := w.recover(ctx, 0)
	if ctx.Err() != nil || err != nil {
		return unlessOver(ctx, err)
	}
	types := []string{"message.requested", "message.resend_requested"}
	for n := 0; ctx.Err() == nil; n++ {
		for page, err := range w.o.Journal.Follow(ctx, head, types, 500) {
			switch {
			case errors.Is(err, event.ErrNewer):
				return err
			case err != nil:
				w.metrics.faults.Inc()
				w.o.Logger.Warn("outbox: following messages, trying again", "error", err)
				continue
			}
			n, head = 0, page.Next
			for _, p := range page.Poison {
				w.o.Logger.Error("outbox: a message's event cannot be read", "event", p.Event.ID, "error", p.Err)
			}
			for _, e := range page.Events {
				if id, err := projections.StreamID(e.Stream); err == nil {
					w.put(item{account: e.Meta.Account, message: id, person: e.Meta.Subject, requested: e.At, due: e.At})
				}
			}
		}
		again.Sleep(ctx, again.Backoff(n, 50*time.Millisecond, 5*time.Second))
	}
	return nil
}

// unlessOver is nil when ctx has ended.
func unlessOver(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return nil
	}
	return err
}

// watch takes over what others have left lying for Silence, now and then, until ctx ends.
func (w *Outbox) watch(ctx context.Context) {
	for again.Sleep(ctx, w.o.Silence/5) {
		if _, err := w.recover(ctx, w.o.Silence); err != nil && ctx.Err() == nil {
			w.metrics.faults.Inc()
			w.o.Logger.Warn("outbox: looking for what others left, trying again", "error", err)
		}
	}
}

// recover queues what has yet to leave as of head, and says of what another
// worker intended, and left without a result, that it is in doubt: of all that
// has been due for as long as silent.
func (w *Outbox) recover(ctx context.Context, silent time.Duration) (head event.Position, err error) {
	err = w.persist(ctx, "find the head of the log", func() (err error) {
		head, err = w.o.Journal.Head(ctx)
		return err
	})
	if err == nil {
		err = w.persist(ctx, "wait for the backlog", func() error { return w.o.Backlog.WaitFor(ctx, head) })
	}
	for after := (domain.ID{}); err == nil; {
		var found []messages.Message
		err = w.persist(ctx, "read the backlog", func() (err error) {
			found, err = w.o.Backlog.Open(ctx, after, 500)
			return err
		})
		if len(found) == 0 {
			break
		}
		for _, m := range found {
			err = errors.Join(err, w.takeOver(ctx, m, silent))
		}
		after = found[len(found)-1].ID
	}
	return head, err
}

// takeOver queues one message of the backlog, or records the doubt about it.
func (w *Outbox) takeOver(ctx context.Context, m messages.Message, silent time.Duration) error {
	it := item{account: m.Account, message: m.ID, person: m.Person, requested: m.RequestedAt, due: m.Since}
	if m.Status == message.Again {
		it.due, it.tries = m.Since.Add(w.pause(m.Code != 0, m.Tries, m.Knocks)), m.Tries+m.Knocks
	}
	switch late := silent == 0 || time.Since(it.due) >= silent; {
	case !late || m.Worker == w.worker && m.Status == message.Pending: // its result is to come
	case m.Status == message.Pending:
		return w.doubt(ctx, it, m.Worker)
	case !w.has(it.message):
		w.put(it)
	}
	return nil
}

// doubt records that nobody knows whether a message left. A refusal says that
// it is known by now.
func (w *Outbox) doubt(ctx context.Context, it item, worker domain.ID) error {
	req := commands.Request{ID: newID(), Account: it.account}
	var done commands.Done
	err := w.persist(ctx, "record a doubt", func() (err error) {
		done, err = commands.Handle(ctx, w.o.Journal, req, commands.RecordMessageResult{
			Message: it.message, Person: it.person, Worker: worker, Result: message.LeftInDoubt{},
		})
		return err
	})
	var refused domain.Refusal
	if errors.As(err, &refused) {
		return nil
	}
	if err == nil && done.Events > 0 {
		w.metrics.count(message.InDoubt)
		w.o.Logger.Warn("outbox: unknown whether a message was sent", "message", it.message)
	}
	return err
}

// pause is how long a deferred message waits, by who said not now: a server,
// or nobody.
func (w *Outbox) pause(said bool, tries, knocks int) time.Duration {
	switch {
	case !said:
		return again.Backoff(knocks-1, time.Second, time.Minute)
	case len(w.o.Retries) == 0:
		return 0
	}
	return w.o.Retries[min(max(tries-1, 0), len(w.o.Retries)-1)]
}
