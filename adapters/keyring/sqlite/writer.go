package sqlite

import (
	"bytes"
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pressly/goose/v3"
	_ "modernc.org/sqlite" // the driver

	"github.com/cleversender/cleversender/adapters/keyring"
	"github.com/cleversender/cleversender/domain"
)

//go:embed migrations/*.sql
var migrations embed.FS

const (
	pageSize  = "4096"
	maxShared = 256 // jobs that share one commit
	quiet     = 500 * time.Millisecond
)

// writer is the one that writes: jobs that wait together share a transaction
// and its sync. Its fields belong to the goroutine that runs the jobs.
type writer struct {
	db    *sql.DB
	conn  *sql.Conn
	stmts map[string]*sql.Stmt

	newest  domain.ID                 // no key and no tombstone is of a later subject
	horizon atomic.Pointer[domain.ID] // newest, for those outside: never before a key that is committed
	books   [booksEnd]*book
	staging staging
	staged  atomic.Bool // for those outside: what is in no bucket may be staged
	bucket  int64       // the last one made
	written bool        // since the last checkpoint while quiet

	mu     sync.RWMutex // guards closed against do
	closed bool
	jobs   chan job
	idle   chan struct{} // closed when the goroutine has ended
}

// A job may run more than once, the last time counts; what it returns as an
// error undoes it. It answers refusals some other way.
type job struct {
	run  func(*writer) error
	bare bool // outside any transaction
	done chan error
}

func openWriter(ctx context.Context, path string) (w *writer, err error) {
	db, err := openDB(path, "&_pragma=cache_size(-8192)&_pragma=wal_autocheckpoint(16000)", 1)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, db.Close())
		}
	}()
	dir, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return nil, err
	}
	up, err := goose.NewProvider(goose.DialectSQLite3, db, dir)
	if err != nil {
		return nil, err
	}
	if _, err := up.Up(ctx); err != nil {
		return nil, fmt.Errorf("migrate: %w", err)
	}
	w = &writer{db: db, stmts: map[string]*sql.Stmt{}, jobs: make(chan job, maxShared), idle: make(chan struct{})}
	if w.conn, err = db.Conn(context.Background()); err != nil {
		return nil, err
	}
	if err := w.load(); err != nil {
		return nil, err
	}
	go w.loop()
	return w, nil
}

// load reads what the writer keeps in memory, as last committed.
func (w *writer) load() error {
	var key, erased []byte
	err := w.row(nil, `SELECT coalesce((SELECT max(subject) FROM keys), x''), coalesce((SELECT max(subject) FROM erased), x'')`, &key, &erased)
	if err != nil {
		return err
	}
	w.newest = domain.ID{}
	for _, b := range [][]byte{key, erased} {
		if len(b) == 16 && bytes.Compare(b, w.newest[:]) > 0 {
			w.newest = domain.ID(b)
		}
	}
	newest := w.newest
	w.horizon.Store(&newest)
	if err := w.loadBooks(); err != nil {
		return err
	}
	return w.loadStaging()
}

// saw moves the horizon.
func (w *writer) saw(subject domain.ID) {
	if compareIDs(subject, w.newest) > 0 {
		w.newest = subject
		w.horizon.Store(&subject)
	}
}

// do runs a job in a transaction, shared with others that wait, and returns
// when it is durable.
func (w *writer) do(run func(*writer) error) error { return w.submit(job{run: run}) }

func (w *writer) submit(j job) error {
	j.done = make(chan error, 1)
	w.mu.RLock()
	if w.closed {
		w.mu.RUnlock()
		return keyring.ErrClosed
	}
	w.jobs <- j
	w.mu.RUnlock()
	return <-j.done
}

func (w *writer) loop() {
	defer close(w.idle)
	for {
		j, ok := w.next()
		if !ok {
			return
		}
		batch := []job{j}
	gather:
		for !j.bare && len(batch) < maxShared {
			select {
			case next, ok := <-w.jobs:
				if !ok {
					break gather
				}
				j = next
				batch = append(batch, j)
			default:
				break gather
			}
		}
		if j.bare {
			w.commit(batch[:len(batch)-1])
			j.done <- j.run(w)
			continue
		}
		w.commit(batch)
	}
}

// next waits for a job. When none comes for a while, staged addresses move into
// their buckets and the WAL into the database, so that whoever looks an address
// up or purges finds little left to do.
func (w *writer) next() (job, bool) {
	if w.written {
		select {
		case j, ok := <-w.jobs:
			return j, ok
		case <-time.After(quiet):
			w.written = false
			if len(w.staging.entries) > 0 {
				_ = w.try([]job{{run: (*writer).merge}}) // what fails stays staged
				w.written = false
			}
			var busy, pages, moved int
			_ = w.row(nil, `PRAGMA wal_checkpoint(PASSIVE)`, &busy, &pages, &moved) // the next one does what this cannot
		}
	}
	j, ok := <-w.jobs
	return j, ok
}

// commit runs jobs in one transaction; when one fails, each gets its own.
func (w *writer) commit(batch []job) {
	if len(batch) == 0 {
		return
	}
	err := w.try(batch)
	if err != nil && len(batch) > 1 {
		for i := range batch {
			w.commit(batch[i : i+1])
		}
		return
	}
	for _, j := range batch {
		j.done <- err
	}
}

func (w *writer) try(batch []job) error {
	w.written = true
	err := w.exec(`BEGIN IMMEDIATE`)
	for i := 0; err == nil && i < len(batch); i++ {
		err = batch[i].run(w)
	}
	if err == nil {
		err = w.exec(`COMMIT`)
	}
	if err != nil {
		_ = w.exec(`ROLLBACK`) // fails when the transaction has ended by itself
		return errors.Join(err, w.load())
	}
	w.staged.Store(len(w.staging.entries) > 0)
	return nil
}

// checkpoint moves the WAL into the database and truncates it.
func (w *writer) checkpoint(ctx context.Context) error {
	for {
		var busy, pages, moved int
		err := w.submit(job{bare: true, run: func(w *writer) error {
			return w.row(nil, `PRAGMA wal_checkpoint(TRUNCATE)`, &busy, &pages, &moved)
		}})
		if err != nil || busy == 0 {
			return err
		}
		select { // somebody still reads what is to be truncated
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(5 * time.Millisecond):
		}
	}
}

func (w *writer) close() error {
	w.mu.Lock()
	if w.closed {
		w.mu.Unlock()
		return nil
	}
	w.closed = true
	close(w.jobs)
	w.mu.Unlock()
	<-w.idle
	return errors.Join(w.conn.Close(), w.db.Close())
}

// stmt prepares once; contexts stay out of it, for a job is all or nothing.
func (w *writer) stmt(query string) (*sql.Stmt, error) {
	if s, ok := w.stmts[query]; ok {
		return s, nil
	}
	s, err := w.conn.PrepareContext(context.Background(), query)
	if err == nil {
		w.stmts[query] = s
	}
	return s, err
}

func (w *writer) exec(query string, args ...any) error {
	_, err := w.change(query, args...)
	return err
}

// change is exec, and how many rows it changed.
func (w *writer) change(query string, args ...any) (int64, error) {
	s, err := w.stmt(query)
	if err != nil {
		return 0, err
	}
	done, err := s.Exec(args...)
	if err != nil {
		return 0, err
	}
	return done.RowsAffected()
}

func (w *writer) query(query string, args ...any) (*sql.Rows, error) {
	s, err := w.stmt(query)
	if err != nil {
		return nil, err
	}
	return s.Query(args...)
}

// row reads the first row, and leaves into alone when there is none.
func (w *writer) row(args []any, query string, into ...any) error {
	rows, err := w.query(query, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	if rows.Next() {
		err = rows.Scan(into...)
	}
	return errors.Join(err, rows.Err())
}
