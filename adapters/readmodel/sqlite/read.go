package sqlite

import (
	"context"
	"database/sql/driver"
	"errors"
	"os"
	"slices"
	"sync"

	"github.com/cleversender/cleversender/adapters/readmodel"
	"github.com/cleversender/cleversender/domain/event"
	"github.com/cleversender/cleversender/projections"
)

// reader implements projections.Reader on a borrowed connection.
type reader struct {
	with func(ctx context.Context, f func(*conn) error) error
	sql  map[*projections.Table]*statements
}

// Get implements projections.Reader.
func (r reader) Get(ctx context.Context, t *projections.Table, key ...any) (row projections.Row, err error) {
	if err := readmodel.CheckKey(t, key); err != nil {
		return nil, err
	}
	err = r.with(ctx, func(c *conn) error {
		row, err = get(c, r.sql[t], key)
		return err
	})
	return row, err
}

func get(c *conn, s *statements, key []any) (out projections.Row, err error) {
	err = c.query(s.get, values(key...), func(from []driver.Value) error {
		out = row(from, s.table)
		return nil
	})
	return out, err
}

// GetMany implements projections.Reader.
func (r reader) GetMany(ctx context.Context, t *projections.Table, keys [][]any) ([]projections.Row, error) {
	for _, key := range keys {
		if err := readmodel.CheckKey(t, key); err != nil {
			return nil, err
		}
	}
	rows := make([]projections.Row, len(keys))
	err := r.with(ctx, func(c *conn) error {
		for i := 0; i < len(keys); i += keysPerGet {
			end := min(i+keysPerGet, len(keys))
			if err := getMany(c, r.sql[t], keys[i:end], rows[i:end]); err != nil {
				return err
			}
		}
		return nil
	})
	return rows, err
}

// getMany looks up to keysPerGet keys up; the places that are left over hold
// NULL, which equals nothing.
func getMany(c *conn, s *statements, keys [][]any, rows []projections.Row) error {
	width := len(s.table.Key)
	args := make([]driver.NamedValue, 0, keysPerGet*width)
	for _, key := range keys {
		args = appendValues(args, key)
	}
	return c.query(s.getMany, args[:cap(args)], func(from []driver.Value) error {
		rows[from[0].(int64)] = row(from[1:], s.table)
		return nil
	})
}

// Scan implements projections.Reader.
func (r reader) Scan(ctx context.Context, t *projections.Table, prefix, after []any, limit int) (rows []projections.Row, err error) {
	args := append(slices.Clone(prefix), after...)
	if err := readmodel.Check(t, args, false); err != nil {
		return nil, err
	}
	err = r.with(ctx, func(c *conn) error {
		return c.query(scan(t, len(prefix), len(after)), values(append(args, int64(limit))...), func(from []driver.Value) error {
			rows = append(rows, row(from, t))
			return nil
		})
	})
	return rows, err
}

// Position implements readmodel.Model and readmodel.Snapshot.
func (r reader) Position(ctx context.Context) (at event.Position, err error) {
	err = r.with(ctx, func(c *conn) error {
		at, err = position(c)
		return err
	})
	return at, err
}

// Poison implements readmodel.Model.
func (r reader) Poison(ctx context.Context, limit int) (all []readmodel.Poison, err error) {
	err = r.with(ctx, func(c *conn) error {
		return c.query("SELECT position, event, type, version FROM _poison ORDER BY position LIMIT ?", values(int64(limit)),
			func(row []driver.Value) error {
				all = append(all, readmodel.Poison{
					Position: event.Position(row[0].(int64)), Event: row[1].(string),
					Type: row[2].(string), Version: int(row[3].(int64)),
				})
				return nil
			})
	})
	return all, err
}

// snapshot implements readmodel.Snapshot: one connection in a read transaction.
type snapshot struct {
	reader
	conn *conn
}

// Snapshot implements readmodel.Model.
func (m *model) Snapshot(ctx context.Context) (readmodel.Snapshot, error) {
	c, err := m.pool.open()
	if err != nil {
		return nil, err
	}
	var mu sync.Mutex
	s := &snapshot{conn: c, reader: reader{sql: m.sql, with: func(ctx context.Context, f func(*conn) error) error {
		mu.Lock()
		defer mu.Unlock()
		if err := ctx.Err(); err != nil {
			return err
		}
		return f(c)
	}}}
	if err := c.exec("BEGIN"); err != nil {
		return nil, errors.Join(err, c.close())
	}
	if _, err := s.Position(ctx); err != nil { // the first read fixes what is seen
		return nil, errors.Join(err, c.close())
	}
	return s, nil
}

// Close implements readmodel.Snapshot.
func (s *snapshot) Close() error { return errors.Join(s.conn.exec("COMMIT"), s.conn.close()) }

// poolSize is how many read a model at once; others wait.
const poolSize = 4

// pool lends read-only connections, the one used last first: the pages that it
// has read are still at hand.
type pool struct {
	path   string
	slots  chan struct{} // one for each that may read
	closed chan struct{}

	mu   sync.Mutex
	idle []*conn
}

func newPool(path string) *pool {
	p := &pool{path: path, slots: make(chan struct{}, poolSize), closed: make(chan struct{})}
	for range poolSize {
		p.slots <- struct{}{}
	}
	return p
}

func (p *pool) open() (*conn, error) { return open(p.path, "query_only(ON)", readerCache) }

func (p *pool) with(ctx context.Context, f func(*conn) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	select {
	case <-p.slots:
	case <-p.closed:
		return os.ErrClosed
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { p.slots <- struct{}{} }()
	c, err := p.take()
	if err != nil {
		return err
	}
	defer p.give(c)
	return f(c)
}

func (p *pool) take() (*conn, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	n := len(p.idle)
	if n == 0 {
		return p.open()
	}
	c := p.idle[n-1]
	p.idle = p.idle[:n-1]
	return c, nil
}

func (p *pool) give(c *conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.idle = append(p.idle, c)
}

// close waits for who reads. It is called once.
func (p *pool) close() (err error) {
	for range poolSize {
		<-p.slots
	}
	for _, c := range p.idle {
		err = errors.Join(err, c.close())
	}
	close(p.closed)
	return err
}
