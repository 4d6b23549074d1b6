// Package sqlite is the event log in one SQLite file.
//
// One goroutine writes. It takes every append that waits, writes them in one
// transaction and so with one fsync (group commit), and answers when that is
// durable: WAL, synchronous=FULL. A conflict fails alone. A position is a row
// id, handed out by that goroutine: gapless, in commit order.
//
// What can fail, and what then holds:
//
//   - The process dies: every answered append is there, an unanswered one is
//     there as a whole or not at all.
//   - A transaction fails (the disk is full): all of its appends get the
//     fault; the log reads its end anew and goes on. Sent again, they are
//     written, or found to have been.
//   - The caller's context ends while its append waits: it may yet be written.
//
// Readers have connections of their own and never hold a transaction open
// between two pages. Followers at the tail are served from memory.
package sqlite

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"net/url"

	"github.com/pressly/goose/v3"
	_ "modernc.org/sqlite" // the driver: SQLite without cgo

	"github.com/cleversender/cleversender/adapters/eventlog"
	"github.com/cleversender/cleversender/adapters/eventlog/group"
	"github.com/cleversender/cleversender/domain/event"
)

//go:embed schema/*.sql
var migrations embed.FS

// Log is the event log. It must be the only one on its file.
type Log struct {
	writing *sql.DB
	reading *readers
	tail    *group.Tail
	kinds   *group.Kinds
	known   eventlog.Known
	keep    int
	queue   *group.Queue[envelopes]
	stopped chan struct{} // closed when the writer has ended
	closing chan struct{} // closed to end followers
	observe func(Commit)
}

var _ eventlog.Log = (*Log)(nil)

// Commit is one transaction of the writer, for metrics.
type Commit = group.Commit

// Option sets up a log.
type Option func(*Log)

// OnCommit calls f after each transaction, on the writer's goroutine: it must be quick.
func OnCommit(f func(Commit)) Option { return func(l *Log) { l.observe = f } }

// Knows says what the software can read; without it, everything.
func Knows(known eventlog.Known) Option { return func(l *Log) { l.known = known } }

// KeepTail sets how many of the newest events stay in memory.
func KeepTail(events int) Option { return func(l *Log) { l.keep = events } }

const pragmas = "_pragma=busy_timeout(5000)&_pragma=journal_mode(wal)&_pragma=synchronous(full)"

// Open opens or makes the log in the file at path. A file of a newer schema is group.ErrNewerSchema.
func Open(ctx context.Context, path string, options ...Option) (_ *Log, err error) {
	l := &Log{
		kinds: &group.Kinds{}, keep: group.TailEvents, queue: group.NewQueue(encode),
		stopped: make(chan struct{}), closing: make(chan struct{}), observe: func(Commit) {},
	}
	for _, o := range options {
		o(l)
	}
	// An opaque URL keeps SQLite from reading ? and # in the path.
	dsn := "file:" + (&url.URL{Path: path}).EscapedPath() + "?"
	if l.writing, err = sql.Open("sqlite", dsn+pragmas); err != nil {
		return nil, fmt.Errorf("open event log: %w", err)
	}
	l.writing.SetMaxOpenConns(1)
	defer func() {
		if err != nil {
			_ = l.writing.Close()
		}
	}()
	if err := group.Migrate(ctx, l.writing, goose.DialectSQLite3, migrations); err != nil {
		return nil, err
	}
	reading, err := sql.Open("sqlite", dsn+pragmas+"&_pragma=query_only(1)")
	if err != nil {
		return nil, fmt.Errorf("open event log: %w", err)
	}
	l.reading = newReaders(reading)
	l.tail = group.NewTail(l.keep)
	l.tail.Known = l.known
	ready := make(chan error)
	go l.write(ready)
	if err := <-ready; err != nil {
		_ = l.reading.close()
		return nil, fmt.Errorf("open event log: %w", err)
	}
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

// Head implements eventlog.Log.
func (l *Log) Head(context.Context) (event.Position, error) { return l.tail.Position(), nil }

// Close implements eventlog.Log.
func (l *Log) Close() error {
	if !l.queue.Close() {
		return nil
	}
	<-l.stopped
	close(l.closing)
	return errors.Join(l.reading.close(), l.writing.Close())
}
