package sqlite

import (
	"context"
	"database/sql"
	"database/sql/driver"

	"github.com/cleversender/cleversender/adapters/eventlog"
)

const maxReaders = 4

// readers are the connections for reading. Each keeps its statements from one
// query to the next: preparing one costs more than a short stream does.
type readers struct {
	db   *sql.DB
	idle chan *reader // maxReaders when nobody reads; nil: not opened so far
}

type reader struct {
	lease *sql.Conn
	conn  *conn
}

func newReaders(db *sql.DB) *readers {
	db.SetMaxOpenConns(maxReaders)
	r := &readers{db, make(chan *reader, maxReaders)}
	for range maxReaders {
		r.idle <- nil
	}
	return r
}

// use lends a connection to f, or returns eventlog.ErrClosed once closing is closed.
func (r *readers) use(ctx context.Context, closing <-chan struct{}, f func(*conn) error) error {
	var it *reader
	select {
	case <-closing: // not left to chance when both are ready
		return eventlog.ErrClosed
	default:
	}
	select {
	case it = <-r.idle:
	case <-ctx.Done():
		return ctx.Err()
	case <-closing:
		return eventlog.ErrClosed
	}
	defer func() { r.idle <- it }()
	if it == nil {
		lease, err := r.db.Conn(ctx)
		if err != nil {
			return err
		}
		it = &reader{lease: lease}
	}
	return it.lease.Raw(func(raw any) error {
		if it.conn == nil {
			it.conn = &conn{raw.(driver.Conn), map[string]driver.Stmt{}}
		}
		return f(it.conn)
	})
}

// close waits for whoever reads.
func (r *readers) close() error {
	for range maxReaders {
		if it := <-r.idle; it != nil {
			if it.conn != nil {
				it.conn.close()
			}
			_ = it.lease.Close()
		}
	}
	return r.db.Close()
}
