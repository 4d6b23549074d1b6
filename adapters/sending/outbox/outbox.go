// Package outbox is the worker for messages outside campaigns: it gets each of
// them to its one recipient once, or records why not.
//
// # What can fail, and what then
//
// A message's way is: queued, intended (durable), sent, result (durable). Every
// step can fail without being done, or be done and still report failure:
//
//	step                      failed, not done               failed, but done
//	load the message          asked again                    -
//	make the message          a refusal is its result; a     -
//	                          fault: later, nothing is left
//	intend                    asked again with the same id;  asked again with the same id:
//	                          nothing has left               the log says so; nothing has left
//	load the person           asked again; nothing has left  -
//	withhold                  asked again; not sent to       asked again: quiet
//	transmit                  no reply of success: deferred  the reply was lost: unknown.
//	                          or failed, by the reply        Never sent again in silence
//	record the result         asked again with the same id   asked again with the same id: quiet
//
// "Asked again" goes on, with growing pauses, for as long as the worker runs.
//
// The worker dies (kill -9, power): the next one finds what was intended and has
// no result, and records of it that it is in doubt: at most Connections
// messages. They are sent again only when somebody asks for it, with the same
// Message-ID. If the worker taken for dead lives after all, its result is
// recorded and settles the doubt. Everything else is sent as if nothing had
// happened. A worker that runs beside it finds the same, and what it deferred,
// once nothing has come of it for Silence.
//
// Two workers on one log: an intent is written at the revision that was loaded,
// under an id of its own, so one of them gets a conflict and drops the message.
//
// What holds mail back is looked up in the log, after the intent: whoever was
// restricted, suppressed or erased before the intent gets nothing. An objection
// and a complaint are about marketing, and do not hold these messages back.
//
// No server to be reached: deferred with code 0, and one message at a time
// probes, ever more rarely, until one is answered. A message that could not leave
// rests for up to a minute; tried ten times, and asked for Patience ago or longer,
// it fails: unreachable. A server's "not now" (4yz) is tried again after each of
// Retries, then it is a failure: unreachable. Whom Limits hold back is queued as
// before, and nothing is recorded of it.
//
// Stop: nothing more is intended. What is under way ends and is recorded; when
// Stop's time runs out, transmissions are broken off, and are unknown.
package outbox

import (
	"context"
	"iter"
	"log/slog"
	"time"

	"github.com/cleversender/cleversender/adapters/eventlog"
	"github.com/cleversender/cleversender/adapters/sending"
	"github.com/cleversender/cleversender/commands"
	"github.com/cleversender/cleversender/domain"
	"github.com/cleversender/cleversender/domain/event"
	"github.com/cleversender/cleversender/domain/message"
	"github.com/cleversender/cleversender/projections/messages"
)

// Journal is the event log as the worker needs it; *eventlog.Journal is one.
type Journal interface {
	commands.Log
	// Follow yields pages after a position, sealed; then waits at the tail.
	Follow(ctx context.Context, after event.Position, types []string, batch int) iter.Seq2[eventlog.RecordedPage, error]
	// Head is the position of the last event.
	Head(ctx context.Context) (event.Position, error)
}

// Backlog is what was asked for before the worker began.
type Backlog interface {
	// WaitFor returns when the view has taken in everything up to a position.
	WaitFor(ctx context.Context, at event.Position) error
	// Open returns up to limit messages of every account that wait for their turn
	// or for a result, in id order, after one (zero: from the start).
	Open(ctx context.Context, after domain.ID, limit int) ([]messages.Message, error)
}

// Order is a message to be made, in the clear.
type Order struct {
	Account, Message domain.ID
	message.Requested
	Email, Name string
	Variables   map[string]string
}

// Compose makes a message: anew for each try, with the same Message-ID. A
// refusal says that it cannot be made.
type Compose func(ctx context.Context, o Order) (sending.Message, error)

// Options are what the worker needs; zero values of the second group are the defaults.
type Options struct {
	Journal   Journal
	Backlog   Backlog
	Compose   Compose
	Transport sending.Transport
	Limits    sending.Limits // nil: none
	Logger    *slog.Logger

	Connections int             // messages under way at once; 16
	Retries     []time.Duration // pauses before a deferred message's further tries; 10 s, 1 min, 5 min, 15 min, 1 h, 3 h
	Patience    time.Duration   // how long a message is tried that cannot leave; 4 h
	Silence     time.Duration   // how long others leave a message lying before it is taken over; 15 min, longer than it can be on its way
}

func (o Options) withDefaults() Options {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Connections <= 0 {
		o.Connections = 16
	}
	if o.Patience <= 0 {
		o.Patience = 4 * time.Hour
	}
	if o.Silence <= 0 {
		o.Silence = 15 * time.Minute
	}
	if o.Retries == nil {
		o.Retries = []time.Duration{10 * time.Second, time.Minute, 5 * time.Minute, 15 * time.Minute, time.Hour, 3 * time.Hour}
	}
	return o
}
