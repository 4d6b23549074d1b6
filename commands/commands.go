// Package commands is everything that can be asked of the engine, one file each:
// a struct, and a pure Decide that says what happens now, given what happened before.
package commands

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"github.com/cleversender/cleversender/domain"
	"github.com/cleversender/cleversender/domain/event"
)

// A Command decides what happens now, given what happened before. Asked again
// after it happened, it decides nothing.
type Command[State, Event any] interface {
	Stream() string
	Decide(State) ([]Event, error)
}

// State is rebuilt by replaying events.
type State[S, Event any] interface{ Evolve(Event) S }

func replay[S State[S, E], E any](s S, past []event.Recorded) S {
	events := make([]E, len(past))
	for i, e := range past {
		events[i] = e.Data.(E)
	}
	return evolve(s, events)
}

// evolve applies events, at once for a state that can.
func evolve[S State[S, E], E any](s S, events []E) S {
	if many, ok := any(s).(interface{ EvolveAll([]E) S }); ok {
		return many.EvolveAll(events)
	}
	for _, e := range events {
		s = s.Evolve(e)
	}
	return s
}

// Personal is a command or an event about a person: the subject of the envelope.
type Personal interface{ About() domain.ID }

// Log is the event log, as commands see it.
type Log interface {
	// Load returns a stream's events, personal values open.
	Load(ctx context.Context, stream string) ([]event.Recorded, error)
	// Record appends to a stream that holds expect events, or returns
	// domain.ErrConflict. It returns the position of the last event.
	Record(ctx context.Context, stream string, expect uint64, drafts []event.Draft) (event.Position, error)
}

// Request is what stands around a command: who asks, and what the asking is
// known by. The same ID twice is the same request.
type Request struct {
	ID          domain.ID
	Account     domain.ID
	Actor       domain.ID
	Correlation domain.ID // zero: the request itself
}

// Done says what came of a command.
type Done struct {
	Position event.Position // of the last event; zero when nothing happened
	Events   int
}

// ErrNotFound: there is no such thing in the account of who asks. What another
// account holds looks just the same as what does not exist.
var ErrNotFound = domain.Refuse("not_found", "there is no such thing in this account")

// Exists refuses with ErrNotFound unless the stream was begun by the account:
// ask it of the ids that a command refers to.
func Exists(ctx context.Context, log Log, account domain.ID, stream string) error {
	past, err := log.Load(ctx, stream)
	if err != nil {
		return fmt.Errorf("load %s: %w", stream, err)
	}
	if len(past) == 0 || past[0].Meta.Account != account {
		return ErrNotFound
	}
	return nil
}

const attempts = 5

// errAnonymous: two requests without an id would pass for one, and the second
// would be lost in silence.
var errAnonymous = errors.New("a request needs an id and the account that it is for")

// Handle loads, decides and appends; a lost race is decided again. An error is
// a domain.Refusal, domain.ErrConflict after several lost races, or a fault.
func Handle[S State[S, E], E any](ctx context.Context, log Log, req Request, cmd Command[S, E]) (Done, error) {
	if req.ID.IsZero() || req.Account.IsZero() {
		return Done{}, errAnonymous
	}
	var done Done
	var err error
	for range attempts {
		if done, err = try(ctx, log, req, cmd); !errors.Is(err, domain.ErrConflict) {
			return done, err
		}
	}
	return done, err
}

func try[S State[S, E], E any](ctx context.Context, log Log, req Request, cmd Command[S, E]) (Done, error) {
	past, err := log.Load(ctx, cmd.Stream())
	if err != nil {
		return Done{}, fmt.Errorf("load %s: %w", cmd.Stream(), err)
	}
	if len(past) > 0 && (past[0].Meta.Account != req.Account || aboutAnother(past[0], cmd)) {
		return Done{}, ErrNotFound
	}
	var begin S
	decided, err := cmd.Decide(replay(begin, past))
	if err != nil || len(decided) == 0 {
		return Done{}, err
	}
	drafts := Drafts(req, cmd, decided, uint64(len(past)))
	pos, err := log.Record(ctx, cmd.Stream(), uint64(len(past)), drafts)
	if err != nil {
		return Done{}, fmt.Errorf("record in %s: %w", cmd.Stream(), err)
	}
	return Done{pos, len(drafts)}, nil
}

// aboutAnother reports that a stream which began about one person is asked of
// about another.
func aboutAnother(first event.Recorded, cmd any) bool {
	p, ok := cmd.(Personal)
	return ok && first.Meta.Subject != p.About()
}

// Drafts puts decided events into their envelopes. Ids derive from the request,
// the stream and the place in it, so that a retry writes the same events.
func Drafts[S State[S, E], E any](req Request, cmd Command[S, E], decided []E, after uint64) []event.Draft {
	meta := event.Meta{Account: req.Account, Actor: req.Actor, Correlation: req.Correlation, Causation: req.ID}
	if meta.Correlation.IsZero() {
		meta.Correlation = req.ID
	}
	if p, ok := cmd.(Personal); ok {
		meta.Subject = p.About()
	}
	drafts, stream := make([]event.Draft, len(decided)), cmd.Stream()
	for i, e := range decided {
		id := req.ID.Derive(stream + "/" + strconv.FormatUint(after+uint64(i), 10))
		drafts[i] = event.Draft{ID: id, Meta: meta, Data: e}
		if p, ok := any(e).(Personal); ok {
			drafts[i].Meta.Subject = p.About()
		}
	}
	return drafts
}

// An Owner is the only writer of a stream: it keeps the state, so that asking
// costs an append and no load. domain.ErrConflict says that somebody else owns
// the stream now; the Owner is then worth nothing.
type Owner[S State[S, E], E any] struct {
	log      Log
	stream   string
	account  domain.ID
	State    S
	Revision uint64
}

// Own loads a stream to write to it alone.
func Own[S State[S, E], E any](ctx context.Context, log Log, account domain.ID, stream string) (*Owner[S, E], error) {
	past, err := log.Load(ctx, stream)
	if err != nil {
		return nil, fmt.Errorf("load %s: %w", stream, err)
	}
	if len(past) > 0 && past[0].Meta.Account != account {
		return nil, ErrNotFound
	}
	o := &Owner[S, E]{log: log, stream: stream, account: account, Revision: uint64(len(past))}
	o.State = replay(o.State, past)
	return o, nil
}

// Do decides on the state at hand and appends. The state moves on only when
// the events are durable; after an error other than a refusal, own it anew.
func (o *Owner[S, E]) Do(ctx context.Context, req Request, cmd Command[S, E]) (Done, error) {
	if req.ID.IsZero() || req.Account != o.account {
		return Done{}, errAnonymous
	}
	decided, err := cmd.Decide(o.State)
	if err != nil || len(decided) == 0 {
		return Done{}, err
	}
	drafts := Drafts(req, cmd, decided, o.Revision)
	pos, err := o.log.Record(ctx, o.stream, o.Revision, drafts)
	if err != nil {
		return Done{}, fmt.Errorf("record in %s: %w", o.stream, err)
	}
	o.State = evolve(o.State, decided)
	o.Revision += uint64(len(drafts))
	return Done{pos, len(drafts)}, nil
}
