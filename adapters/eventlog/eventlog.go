// Package eventlog is the port of the event log, and the journal: the typed,
// sealed view of it that the rest of the engine uses.
//
// What every log promises (logtest proves it on each):
//
//   - An append is of one stream, atomic, and durable when it returns.
//   - It names how many events the stream holds before it (Expect). Another
//     number is domain.ErrConflict, and nothing is written.
//   - Sent again with the same event ids it changes nothing and returns what
//     the first one returned, however much the stream has grown since.
//   - Positions grow in commit order. Who follows misses nothing, and sees
//     no event twice.
//   - Events come back as they were given, byte for byte.
package eventlog

import (
	"context"
	"errors"
	"iter"

	"github.com/cleversender/cleversender/domain"
	"github.com/cleversender/cleversender/domain/event"
)

// MaxAppendBytes bounds the data of one append, and MaxAppendEvents its length;
// more is ErrTooLarge, and nothing is written.
const (
	MaxAppendBytes  = 1 << 20
	MaxAppendEvents = 5000
)

// ErrTooLarge: the append exceeds MaxAppendBytes or MaxAppendEvents.
var ErrTooLarge = domain.Refuse("append_too_large", "the events are too large to be recorded together")

// ErrNoPosition: a log whose positions have gaps was to go on from where it has no event.
var ErrNoPosition = domain.Refuse("no_such_position", "the log has nothing at this position; go on from one that it gave, or from 0")

// ErrClosed: the log has been closed; nothing is written or read any more.
var ErrClosed = errors.New("the event log is closed")

var (
	errNoEvents = errors.New("append: no events")
	errNoStream = errors.New("append: no stream is named")
)

// Append is events for one stream. The log sets Stream, Revision and Position
// of what it gives back; it keeps Events and Data: nobody changes them afterwards.
type Append struct {
	Stream string
	Expect uint64 // how many events the stream holds; 0: it does not exist yet
	Events []event.Stored
}

// Check reports what no log would accept, whatever it holds.
func (a Append) Check() error {
	if a.Stream == "" {
		return errNoStream
	}
	if len(a.Events) == 0 {
		return errNoEvents
	}
	size := 0
	for i := range a.Events {
		size += len(a.Events[i].Data)
	}
	if len(a.Events) > MaxAppendEvents || size > MaxAppendBytes {
		return ErrTooLarge
	}
	return nil
}

// Settle says how many of the events, from the first, the stream holds
// already. held is the ids of what follows Expect in a stream of length
// events, as many as there are, at most as many as a has. All known: a retry, nothing is to be
// written. Some known: a retry of an append that was cut short elsewhere, the
// rest is to be written. Anything else in the way is domain.ErrConflict.
func (a Append) Settle(length uint64, held []domain.ID) (known int, err error) {
	if length < a.Expect {
		return 0, domain.ErrConflict
	}
	for i, id := range held {
		if id != a.Events[i].ID {
			return 0, domain.ErrConflict
		}
	}
	return len(held), nil
}

// Result says where the last event of an append is.
type Result struct {
	Position event.Position
	Revision uint64
}

// Known says what the software can read: the newest version of each type, by
// stored name. nil: everything.
type Known map[string]int

// Strange reports an event from a newer version of the software.
func (k Known) Strange(name string, version int) bool { return k != nil && version > k[name] }

// Page is a run of the log. Next is where to go on from, it may lie past the
// last event when a filter left some out; Events may then be empty.
type Page struct {
	Events []event.Stored
	Next   event.Position
}

// Log is the port.
type Log interface {
	// Append writes to one stream. When ctx ends first, the events may or may
	// not have been written: sending them again tells.
	Append(ctx context.Context, a Append) (Result, error)
	// AppendBulk writes to many; each succeeds or fails by itself. Two appends
	// to one stream are written in the order given. The slices are as long as as.
	AppendBulk(ctx context.Context, as []Append) ([]Result, []error)
	// ReadStream yields the stream's events after the first skip, oldest
	// first, at most batch at a time; a stream that does not exist yields none.
	ReadStream(ctx context.Context, stream string, skip uint64, batch int) iter.Seq2[[]event.Stored, error]
	// ReadAt returns the events at these positions, in log order; positions
	// that hold none are left out.
	ReadAt(ctx context.Context, positions []event.Position) ([]event.Stored, error)
	// Follow yields pages after a position, 0 or one that the log has given: it catches up, then waits at the
	// tail. It ends, without an error, when ctx does, the consumer stops, or
	// the log is closed. types filters by stored name; nil is all. What is not
	// Known passes every filter: who follows has to learn of it.
	// It yields at least one page at the tail, and one whenever the log grows,
	// empty if need be, so that a follower always learns how far it has come.
	// Pages are shared: the consumer only reads them.
	Follow(ctx context.Context, after event.Position, types []string, batch int) iter.Seq2[Page, error]
	// Head is the position of the last event.
	Head(ctx context.Context) (event.Position, error)
	// Close ends all followers; what has been accepted is written first.
	Close() error
}
