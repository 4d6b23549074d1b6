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

// Append is events for one stream. The log sets Stream, Revision and Position.
type Append struct {
	Stream string
	Expect uint64 // how many events the stream holds; 0: it does not exist yet
	Events []event.Stored
}

// Result says where the last event of an append is.
type Result struct {
	Position event.Position
	Revision uint64
}

// Page is a run of the log. Next is where to go on from, it may lie past the
// last event when a filter left some out; Events may then be empty.
type Page struct {
	Events []event.Stored
	Next   event.Position
}

// Log is the port.
type Log interface {
	// Append writes to one stream.
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
	// Follow yields pages after a position: it catches up, then waits at the
	// tail, until ctx ends or the consumer stops. types filters by stored name; nil is all.
	// It yields at least one page at the tail, empty if need be, so that a
	// follower always learns how far it has come.
	Follow(ctx context.Context, after event.Position, types []string, batch int) iter.Seq2[Page, error]
	// Head is the position of the last event.
	Head(ctx context.Context) (event.Position, error)
	// Close ends all followers; what has been accepted is written first.
	Close() error
}
