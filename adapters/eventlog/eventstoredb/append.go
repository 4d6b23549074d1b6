package eventstoredb

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/EventStore/EventStore-Client-Go/v4/esdb"

	"github.com/cleversender/cleversender/adapters/eventlog"
	"github.com/cleversender/cleversender/adapters/eventlog/group"
	"github.com/cleversender/cleversender/domain"
	"github.com/cleversender/cleversender/domain/event"
)

// writer sends events that a stream is to hold after its first expect, once.
// The error is errWrongRevision, errInterrupted, or one that stays. A position
// of 0 says that the server gave none.
type writer func(ctx context.Context, stream string, expect uint64, events []esdb.EventData) (event.Position, error)

// Append implements eventlog.Log.
func (l *Log) Append(ctx context.Context, a eventlog.Append) (eventlog.Result, error) {
	if err := l.admit(ctx); err != nil {
		return eventlog.Result{}, err
	}
	defer l.appends.Done()
	return l.append(ctx, a, l.write)
}

// append writes what the stream does not hold yet, until it is done or known
// to be impossible.
func (l *Log) append(ctx context.Context, a eventlog.Append, write writer) (eventlog.Result, error) {
	if err := a.Check(); err != nil {
		return eventlog.Result{}, err
	}
	events, size, err := encode(a.Events)
	if err != nil {
		return eventlog.Result{}, err
	}
	if size > l.limit {
		return eventlog.Result{}, eventlog.ErrTooLarge
	}
	began := time.Now()
	result := eventlog.Result{Revision: a.Expect + uint64(len(a.Events))}
	known, tries := 0, 0
	err = l.persist(ctx, func() error {
		before := l.seen.Load()
		at, err := write(ctx, a.Stream, a.Expect+uint64(known), events[known:])
		tries++
		if errors.Is(err, errWrongRevision) {
			held, settled := l.held(ctx, a)
			if settled != nil {
				return settled
			}
			if known = held; known < len(events) {
				return interrupted{err, false} // the rest
			}
		} else if err != nil {
			if errors.Is(err, io.EOF) { // the client has lost the server's reason; the other call keeps it
				write = l.pipe.write
			}
			return err
		}
		// Of what it knew already the server need not give the position of the last event.
		if result.Position = at; err != nil || tries > 1 || uint64(at) <= before {
			if result.Position, err = l.position(ctx, a.Stream, result.Revision); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		if errors.Is(err, domain.ErrConflict) {
			l.observe(group.Commit{Refused: 1, Took: time.Since(began)})
		}
		return eventlog.Result{}, fmt.Errorf("append: %w", err)
	}
	l.observe(group.Commit{Appends: 1, Events: len(events), Bytes: size, Took: time.Since(began)})
	l.saw(result.Position)
	return result, nil
}

// held is how many of the events the stream holds, where they belong.
func (l *Log) held(ctx context.Context, a eventlog.Append) (known int, err error) {
	there, _, err := l.readStream(ctx, a.Stream, a.Expect, len(a.Events))
	if err != nil {
		return 0, err
	}
	if len(there) == 0 || there[0].Revision != a.Expect+1 { // it is shorter, or has been cut
		return 0, domain.ErrConflict
	}
	ids := make([]domain.ID, len(there))
	for i := range there {
		ids[i] = there[i].ID
	}
	return a.Settle(a.Expect+uint64(len(ids)), ids)
}

// position is where the event is that has a revision, from 1.
func (l *Log) position(ctx context.Context, stream string, revision uint64) (event.Position, error) {
	there, _, err := l.readStream(ctx, stream, revision-1, 1)
	if err != nil {
		return 0, err
	}
	if len(there) == 0 {
		return 0, interrupted{errors.New("what was written is not there yet"), false}
	}
	return there[0].Position, nil
}

// write is the writer of single appends.
func (l *Log) write(ctx context.Context, stream string, expect uint64, events []esdb.EventData) (event.Position, error) {
	var revision esdb.ExpectedRevision = esdb.NoStream{}
	if expect > 0 {
		revision = esdb.Revision(expect - 1)
	}
	at := make(chan uint64, 1)
	err := l.supervisor.call(ctx, func(ctx context.Context, c *esdb.Client) error {
		w, err := c.AppendToStream(ctx, stream, esdb.AppendToStreamOptions{ExpectedRevision: revision}, events...)
		if err == nil {
			at <- w.CommitPosition
		}
		return err
	})
	if err != nil {
		return 0, err
	}
	return event.Position(<-at), nil
}

// Waits between two tries.
const (
	firstWait = 5 * time.Millisecond
	lastWait  = 200 * time.Millisecond
)

// persist calls try until it is not interrupted, or patience is at its end.
func (l *Log) persist(ctx context.Context, try func() error) error {
	until := time.Now().Add(l.patience)
	for wait := firstWait; ; wait = min(2*wait, lastWait) {
		err := try()
		if !errors.Is(err, errInterrupted) || time.Now().Add(wait).After(until) {
			return err
		}
		if err := l.pause(ctx, wait); err != nil {
			return err
		}
	}
}

// pause waits, but for no longer than ctx and the log last.
func (l *Log) pause(ctx context.Context, wait time.Duration) error {
	select {
	case <-time.After(wait):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	case <-l.closing.Done():
		return eventlog.ErrClosed
	}
}
