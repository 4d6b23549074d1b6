// Package eventstoredb is the event log on EventStoreDB (KurrentDB), 23.10 or
// newer, by its client for Go behind a supervisor that outlives it.
//
// A stream is a stream, an event an event with its id, type and data; the
// envelope is its metadata. A position is the commit position in $all: it
// grows in commit order, with gaps. System events ($) are none of ours; any
// other event in the database is: the database is for one engine.
//
// What can fail, and what then holds:
//
//   - A call fails, or the connection, or the leader: it is tried again with
//     the same event ids for as long as Patience says. The server knows a
//     retry, or the stream shows how much of it there is, so nothing is
//     written twice. After that the error is returned, and the append may or
//     may not have been written: sending it again tells.
//   - A subscription ends: followers go on from the last position that they
//     have seen, without an end to their patience.
//   - The server refuses (credentials, a deleted stream, too large): the error
//     is returned at once. Nobody deletes streams of an engine at work.
//   - What the server takes in one append (its setting MaxAppendSize, 1 MiB
//     by default) counts metadata and types too. More is ErrTooLarge before
//     it is sent. For all that the port promises, set 4 MiB on the server and
//     say so in the URL: maxAppendSize=4194304.
//
// Followers at the tail share one subscription and are served from memory.
// Those behind it have a subscription each, filtered on the server; for software
// that is known to be unable to read something (Knows) the server filters
// nothing, since it cannot say what that is. ReadAt is
// slow: a read of $all for each run of neighbouring positions.
package eventstoredb

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cleversender/cleversender/adapters/eventlog"
	"github.com/cleversender/cleversender/adapters/eventlog/group"
	"github.com/cleversender/cleversender/domain/event"
)

// MaxAppendSize is what the setting of that name has to be on a server that is
// to take all that the port promises: bytes, metadata and types included.
const MaxAppendSize = 4 << 20

// defaultLimit is what every server takes in one append.
const defaultLimit = 1 << 20

// Log is the event log.
type Log struct {
	supervisor *supervisor
	pipe       *pipe
	tail       *tail
	limit      int
	known      eventlog.Known
	patience   time.Duration
	observe    func(group.Commit)

	seen    atomic.Uint64 // the newest position that anybody here has come across
	closing context.Context
	close   context.CancelFunc
	work    sync.WaitGroup // goroutines that end with closing

	mu      sync.Mutex
	closed  bool
	appends sync.WaitGroup // in progress
}

var _ eventlog.Log = (*Log)(nil)

// Option sets up a log.
type Option func(*Log)

// Patience sets for how long an append or a read is tried; 30 seconds without it.
func Patience(d time.Duration) Option { return func(l *Log) { l.patience = d } }

// OnCommit calls f after each append that was written or conflicted, on the
// appender's goroutine: Took is from its beginning to its end.
func OnCommit(f func(group.Commit)) Option { return func(l *Log) { l.observe = f } }

// Timeout sets how long the answer to one try may take; 10 seconds without it.
func Timeout(d time.Duration) Option { return func(l *Log) { l.supervisor.timeout = d } }

// Knows says what the software can read; without it, everything.
func Knows(known eventlog.Known) Option { return func(l *Log) { l.known, l.tail.known = known, known } }

// KeepTail sets how many of the newest events stay in memory.
func KeepTail(events int) Option { return func(l *Log) { l.tail.keep = events } }

// Open connects to the database that a URL names: esdb:// or esdb+discover://.
func Open(ctx context.Context, url string, options ...Option) (*Log, error) {
	s, err := parse(url)
	if err != nil {
		return nil, err
	}
	l := &Log{limit: s.limit, patience: 30 * time.Second, tail: newTail(), observe: func(group.Commit) {}, supervisor: &supervisor{config: s.client, timeout: 10 * time.Second}}
	for _, o := range options {
		o(l)
	}
	l.closing, l.close = context.WithCancel(context.Background())
	l.pipe = &pipe{config: s.client, timeout: l.supervisor.timeout}
	if _, err := l.Head(ctx); err != nil {
		_ = l.Close()
		return nil, fmt.Errorf("open event log: %w", err)
	}
	return l, nil
}

// admit counts an append that begins, unless the log is closed or ctx over.
func (l *Log) admit(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return eventlog.ErrClosed
	}
	l.appends.Add(1)
	return nil
}

// saw remembers a position.
func (l *Log) saw(p event.Position) {
	for {
		old := l.seen.Load()
		if uint64(p) <= old || l.seen.CompareAndSwap(old, uint64(p)) {
			return
		}
	}
}

// Close implements eventlog.Log.
func (l *Log) Close() error {
	l.mu.Lock()
	closed := l.closed
	l.closed = true
	l.mu.Unlock()
	if closed {
		return nil
	}
	l.appends.Wait()
	l.close()
	l.work.Wait()
	l.pipe.close()
	l.supervisor.close()
	return nil
}
