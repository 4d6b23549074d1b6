package eventstoredb

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"strings"

	"github.com/EventStore/EventStore-Client-Go/v4/esdb"

	"github.com/cleversender/cleversender/adapters/eventlog"
	"github.com/cleversender/cleversender/domain/event"
)

const (
	defaultBatch = 500
	pageBytes    = 4 << 20 // ends a page early, whatever number of events was asked for
)

// ReadStream implements eventlog.Log.
func (l *Log) ReadStream(ctx context.Context, stream string, skip uint64, batch int) iter.Seq2[[]event.Stored, error] {
	if batch <= 0 {
		batch = defaultBatch
	}
	return func(yield func([]event.Stored, error) bool) {
		skip := skip
		for {
			var events []event.Stored
			var full bool
			err := l.persist(ctx, func() (err error) {
				events, full, err = l.readStream(ctx, stream, skip, batch)
				return err
			})
			if err != nil {
				yield(nil, fmt.Errorf("read %s: %w", stream, err))
				return
			}
			if len(events) == 0 || !yield(events, nil) || !full {
				return
			}
			skip = events[len(events)-1].Revision
		}
	}
}

// readStream reads, in one try, some of what a stream holds after its first
// events; none when that is nothing. full says that there may be more.
func (l *Log) readStream(ctx context.Context, stream string, skip uint64, most int) (events []event.Stored, full bool, err error) {
	if stream == "" {
		return nil, false, nil
	}
	return l.read(ctx, func(ctx context.Context, c *esdb.Client) (*esdb.ReadStream, error) {
		return c.ReadStream(ctx, stream, esdb.ReadStreamOptions{From: esdb.Revision(skip)}, uint64(most))
	}, taking(most))
}

// taking ends a read after so many events, or bytes.
func taking(most int) func(*event.Stored) (keep, more bool) {
	bytes := 0
	return func(e *event.Stored) (keep, more bool) {
		most--
		bytes += len(e.Data)
		return true, most > 0 && bytes < pageBytes
	}
}

// read collects what take keeps of a read, until take has enough; then it is full.
func (l *Log) read(ctx context.Context,
	begin func(context.Context, *esdb.Client) (*esdb.ReadStream, error), take func(*event.Stored) (keep, more bool),
) (_ []event.Stored, full bool, _ error) {
	if l.closing.Err() != nil {
		return nil, false, eventlog.ErrClosed
	}
	type taken struct {
		events []event.Stored
		full   bool
	}
	result := make(chan taken, 1)
	err := l.supervisor.call(ctx, func(ctx context.Context, c *esdb.Client) error {
		r, err := begin(ctx, c)
		if err != nil {
			return err
		}
		defer r.Close()
		var got taken
		for !got.full {
			it, err := r.Recv()
			if errors.Is(err, io.EOF) || missing(err) {
				break
			}
			if err != nil {
				return err
			}
			if it.Event == nil || systems(it.Event) {
				continue
			}
			e, err := decode(it.Event)
			if err != nil {
				return foreign{err}
			}
			keep, more := take(&e)
			if got.full = !more; keep {
				got.events = append(got.events, e)
			}
		}
		result <- got
		return nil
	})
	if err != nil {
		return nil, false, err
	}
	got := <-result
	if n := len(got.events); n > 0 {
		l.saw(got.events[n-1].Position)
	}
	return got.events, got.full, nil
}

// systems reports that an event is the server's own.
func systems(r *esdb.RecordedEvent) bool {
	return strings.HasPrefix(r.StreamID, "$") || strings.HasPrefix(r.EventType, "$")
}

// missing reports that there is no such stream.
func missing(err error) bool {
	var e *esdb.Error
	return errors.As(err, &e) && e.Code() == esdb.ErrorCodeResourceNotFound
}

// Head implements eventlog.Log. It passes over the system's events, from the
// end of the log backwards.
func (l *Log) Head(ctx context.Context) (head event.Position, err error) {
	err = l.persist(ctx, func() error {
		events, _, err := l.read(ctx, func(ctx context.Context, c *esdb.Client) (*esdb.ReadStream, error) {
			return c.ReadAll(ctx, esdb.ReadAllOptions{Direction: esdb.Backwards, From: esdb.End{}}, everything)
		}, taking(1))
		if len(events) > 0 {
			head = events[0].Position
		}
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("head: %w", err)
	}
	return head, nil
}

const everything = 1 << 62 // events
