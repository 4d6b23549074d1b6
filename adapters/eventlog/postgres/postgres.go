// Package postgres is the event log in a PostgreSQL database, which several
// processes may have open at once.
//
// In each process one goroutine writes. It takes every append that waits and
// writes them in one transaction (group commit): it locks the one row of
// log_head, finds out which appends conflict, and then sends the new head, all
// rows by COPY and the commit in one go. The lock orders the commits of all
// processes, so positions are gapless and in commit order. A conflict fails alone.
//
// What can fail, and what then holds:
//
//   - The process dies, or the server: every answered append is there, an
//     unanswered one is there as a whole or not at all.
//   - The connection breaks, the server restarts, a standby takes over: appends
//     and reads are tried again until their context ends. An append that was
//     committed, though nobody heard of it, is found by its ids and gets the
//     result that it had. When the log is closed meanwhile, what waits fails.
//   - A process stops in mid-transaction, or its machine vanishes: whoever has
//     waited for the lock for two seconds ends its session, and goes on.
//   - Any other error of a transaction (the disk is full): all of its appends
//     get the fault. Sent again, they are written, or found to have been.
//   - A standby takes over that lacks what was committed (replication is not
//     synchronous): processes that saw it stop appending and following with
//     ErrRewound. Set synchronous_standby_names to be safe from that.
//   - The caller's context ends while its append waits: it may yet be written.
//
// What others append is read once for all followers of a process, who wait for
// NOTIFY as a hint, and poll every second besides; what the process itself
// appends, they are given without. Connections: one to write, one to listen,
// four to read (?pool_max_conns=). A pooler in between must pool sessions.
package postgres

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/cleversender/cleversender/adapters/eventlog"
	"github.com/cleversender/cleversender/adapters/eventlog/group"
	"github.com/cleversender/cleversender/domain/event"
)

// Log is the event log.
type Log struct {
	at    *address
	pool  *pgxpool.Pool // for reading
	tail  *group.Tail
	kinds *group.Kinds
	known eventlog.Known
	keep  int
	queue *group.Queue[rows]

	followers atomic.Int32
	hinted    atomic.Uint64 // how far the log goes, by hearsay
	hints     chan struct{} // when hinted has grown
	looks     chan struct{} // to ask the database instead

	stopped chan struct{}  // closed when the writer has ended
	closing chan struct{}  // closed to end readers
	ended   sync.WaitGroup // watch and listen
	end     context.CancelFunc
	observe func(group.Commit)
}

var _ eventlog.Log = (*Log)(nil)

// Option sets up a log.
type Option func(*Log)

// OnCommit calls f after each transaction, on the writer's goroutine: it must be quick.
func OnCommit(f func(group.Commit)) Option { return func(l *Log) { l.observe = f } }

// Knows says what the software can read; without it, everything.
func Knows(known eventlog.Known) Option { return func(l *Log) { l.known = known } }

// KeepTail sets how many of the newest events stay in memory.
func KeepTail(events int) Option { return func(l *Log) { l.keep = events } }

// Open opens or makes the log in the database at a URL, in the schema that its
// parameter schema names, by default cleversender_log. One of a newer version
// of the software is group.ErrNewerSchema.
func Open(ctx context.Context, url string, options ...Option) (_ *Log, err error) {
	l := &Log{
		kinds: &group.Kinds{}, keep: group.TailEvents,
		hints: make(chan struct{}, 1), looks: make(chan struct{}, 1),
		stopped: make(chan struct{}), closing: make(chan struct{}), observe: func(group.Commit) {},
	}
	l.queue = group.NewQueue(l.encode)
	for _, o := range options {
		o(l)
	}
	l.tail = group.NewTail(l.keep)
	l.tail.Known = l.known
	if l.at, err = parse(url); err != nil {
		return nil, fmt.Errorf("open event log: %w", err)
	}
	if err := migrate(ctx, l.at); err != nil {
		return nil, fmt.Errorf("open event log: %w", err)
	}
	if l.pool, err = pgxpool.NewWithConfig(ctx, l.at.pool); err != nil {
		return nil, fmt.Errorf("open event log: %w", err)
	}
	head, err := l.head(ctx)
	if err == nil {
		err = l.read(ctx, l.loadKinds)
	}
	if err != nil {
		l.pool.Close()
		return nil, fmt.Errorf("open event log: %w", err)
	}
	l.tail.Restart(head)
	ctx, l.end = context.WithCancel(context.WithoutCancel(ctx))
	l.ended.Add(2)
	go l.watch(ctx)
	go l.listen(ctx)
	go (&writer{log: l}).run()
	return l, nil
}

// Append implements eventlog.Log.
func (l *Log) Append(ctx context.Context, a eventlog.Append) (eventlog.Result, error) {
	results, errs := l.AppendBulk(ctx, []eventlog.Append{a})
	return results[0], errs[0]
}

// AppendBulk implements eventlog.Log.
func (l *Log) AppendBulk(ctx context.Context, as []eventlog.Append) ([]eventlog.Result, []error) {
	return l.queue.AppendBulk(ctx, as)
}

// Head implements eventlog.Log: the last event of any process.
func (l *Log) Head(ctx context.Context) (event.Position, error) {
	head, err := l.head(ctx)
	if err != nil {
		return 0, fmt.Errorf("read the head: %w", err)
	}
	l.hint(head)
	return head, nil
}

func (l *Log) head(ctx context.Context) (head event.Position, err error) {
	err = l.read(ctx, func(ctx context.Context, conn *pgx.Conn) error {
		return conn.QueryRow(ctx, "SELECT pos FROM log_head").Scan(&head)
	})
	return head, err
}

// Close implements eventlog.Log. What waits for a server that is away fails.
func (l *Log) Close() error {
	if !l.queue.Close() {
		return nil
	}
	<-l.stopped
	close(l.closing)
	l.end()
	l.ended.Wait()
	l.pool.Close()
	return nil
}
