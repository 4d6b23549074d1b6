package outbox

import (
	"errors"
	"time"

	"github.com/cleversender/cleversender/adapters/eventlog"
	"github.com/cleversender/cleversender/commands"
	"github.com/cleversender/cleversender/domain"
	"github.com/cleversender/cleversender/domain/delivery"
	"github.com/cleversender/cleversender/domain/event"
	"github.com/cleversender/cleversender/domain/message"
	"github.com/cleversender/cleversender/domain/personal"
	"github.com/cleversender/cleversender/domain/subscriber"
)

// do appends what a command decides at the revision that is known, again and
// again under the same id until it is durable.
func (t *turn) do(what string, c commands.Command[message.Message, message.Event]) error {
	return t.persist(t.ctx, what, func() error {
		_, err := t.owner.Do(t.ctx, t.req, c)
		return err
	})
}

func (t *turn) intend() error {
	return t.do("intend a message", commands.IntendMessage{Message: t.message, Person: t.person, Worker: t.worker})
}

// heldBack is why the person is to get no message, as the log says now; "":
// nothing stands against it.
func (t *turn) heldBack() (delivery.Reason, error) {
	var past []event.Recorded
	err := t.persist(t.ctx, "load a person", func() (err error) {
		past, err = t.o.Journal.Load(t.ctx, subscriber.Stream(t.person))
		return err
	})
	var person subscriber.Subscriber
	for _, e := range past {
		person = person.Evolve(e.Data.(subscriber.Event))
	}
	if person.Erased {
		return delivery.Erased, err
	}
	return person.Standing.Withhold(subscriber.Service), err
}

func (t *turn) withhold(why delivery.Reason) error {
	err := t.do("withhold a message", commands.WithholdMessage{Message: t.message, Person: t.person, Worker: t.worker, Reason: why})
	if err == nil {
		t.metrics.count(message.Excluded)
	}
	return err
}

// record makes the result durable, and says when the message is due again. A
// server's words about somebody who has been erased meanwhile can no longer be
// kept; the result can.
func (t *turn) record(reply delivery.Reply) (again time.Time, err error) {
	state := t.owner.State
	if reply.Outcome == delivery.NotSent && state.Knocks+1 >= 10 && time.Since(t.requested) >= t.o.Patience {
		reply.Outcome = delivery.NotReached
	}
	result := state.Judge(reply, len(t.o.Retries)+1)
	err = t.result(result)
	if errors.Is(err, eventlog.ErrErased) {
		err = t.result(wordless(result))
	}
	if err != nil {
		return again, err
	}
	t.metrics.count(message.After(result))
	if state = state.Evolve(result); state.Status == message.Again {
		again, t.tries = time.Now().Add(t.pause(reply.Code != 0, state.Tries, state.Knocks)), state.Tries+state.Knocks
	}
	return again, nil
}

// result is recorded although another worker took this one for dead meanwhile.
func (t *turn) result(e message.Event) error {
	c := commands.RecordMessageResult{Message: t.message, Person: t.person, Worker: t.worker, Result: e}
	err := t.do("record a result", c)
	if !errors.Is(err, domain.ErrConflict) {
		return err
	}
	return t.persist(t.ctx, "record a result", func() error {
		_, err := commands.Handle(t.ctx, t.o.Journal, t.req, c)
		return err
	})
}

func wordless(e message.Event) message.Event {
	switch e := e.(type) {
	case message.Deferred:
		e.Reply = personal.Text{}
		return e
	case message.Failed:
		e.Reply = personal.Text{}
		return e
	}
	return e
}
