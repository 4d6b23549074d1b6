package sqlite

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"os"
	"sync"

	"github.com/cleversender/cleversender/adapters/readmodel"
	"github.com/cleversender/cleversender/domain/event"
	"github.com/cleversender/cleversender/projections"
)

// model implements readmodel.Model on one file.
type model struct {
	reader // of the last committed state, by any of the pool's connections
	tables []*projections.Table
	pool   *pool

	mu     sync.Mutex // of writer
	write  *conn
	closed bool
}

// Caches in KiB. This build of SQLite (SQLITE_ENABLE_MEMORY_MANAGEMENT) lets every
// connection of the process use the sum of all caches, at twice the size since
// a page and its header take two slots: what one busy model does not find here
// it takes from the idle ones.
const (
	writerCache = "cache_size(-2500)"
	readerCache = "cache_size(-1000)"
)

func openModel(path string, tables []*projections.Table) (*model, error) {
	write, err := open(path, "journal_mode(WAL)", "synchronous(NORMAL)", "secure_delete(ON)",
		"wal_autocheckpoint(1000)", "temp_store(MEMORY)", writerCache)
	if err != nil {
		return nil, err
	}
	m := &model{tables: tables, write: write, pool: newPool(path)}
	m.reader = reader{m.pool.with, map[*projections.Table]*statements{}}
	for _, t := range tables {
		m.reader.sql[t] = statementsOf(t)
	}
	if err := write.tx(func() error { return prepare(write, tables) }); err != nil {
		return nil, errors.Join(err, write.close())
	}
	return m, nil
}

// prepare makes the tables of a new model, and checks those of an old one.
func prepare(c *conn, tables []*projections.Table) error {
	for _, text := range []string{
		`CREATE TABLE IF NOT EXISTS _model (position INTEGER NOT NULL, shape TEXT NOT NULL) STRICT`,
		`CREATE TABLE IF NOT EXISTS _poison (position INTEGER PRIMARY KEY, event TEXT NOT NULL, type TEXT NOT NULL, version INTEGER NOT NULL) STRICT`,
	} {
		if err := c.exec(text); err != nil {
			return err
		}
	}
	var shapes []string
	err := c.query("SELECT shape FROM _model", nil, func(row []driver.Value) error {
		shapes = append(shapes, row[0].(string))
		return nil
	})
	shape := readmodel.Shape(tables)
	if err != nil || len(shapes) == 1 && shapes[0] == shape {
		return err
	}
	if len(shapes) > 0 {
		return readmodel.ErrShape
	}
	for _, t := range tables {
		if err := c.exec(create(t)); err != nil {
			return fmt.Errorf("table %s: %w", t.Name, err)
		}
	}
	return c.exec("INSERT INTO _model VALUES (0, ?)", values(shape)...)
}

// Apply implements readmodel.Model.
func (m *model) Apply(ctx context.Context, b readmodel.Batch) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return err
	}
	if m.closed {
		return os.ErrClosed
	}
	return m.write.tx(func() error {
		at, err := position(m.write)
		if err != nil {
			return err
		}
		if at != b.From {
			return readmodel.ErrMoved
		}
		if b.Fold != nil {
			if err := m.fold(b.Fold); err != nil {
				return err
			}
		}
		for _, p := range b.Poison {
			if err := m.write.exec("REPLACE INTO _poison VALUES (?, ?, ?, ?)",
				values(int64(p.Position), p.Event, p.Type, int64(p.Version))...); err != nil {
				return err
			}
		}
		return m.write.exec("UPDATE _model SET position = ?", values(int64(b.Next))...)
	})
}

func (m *model) fold(fold func(projections.Rows) error) error {
	buffer := readmodel.NewBuffer(m.tables, func(t *projections.Table, key []any, _ string) (projections.Row, error) {
		return get(m.write, m.sql[t], key)
	})
	if err := fold(buffer); err != nil {
		return err
	}
	w := writer{conn: m.write, sql: m.sql}
	if err := buffer.Write(w.drop, w.put); err != nil {
		return err
	}
	return w.flush()
}

// Purge implements readmodel.Model: deleted cells are overwritten as they go
// (secure_delete), and the log of older pages is cut off here.
func (m *model) Purge(ctx context.Context) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed {
		return os.ErrClosed
	}
	for {
		var busy int64
		err := m.write.query("PRAGMA wal_checkpoint(TRUNCATE)", nil, func(row []driver.Value) error {
			busy = row[0].(int64)
			return nil
		})
		if err != nil || busy == 0 {
			return err
		}
		if err := ctx.Err(); err != nil { // a reader holds an old page
			return err
		}
	}
}

// Close implements readmodel.Model.
func (m *model) Close() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed {
		return nil
	}
	m.closed = true
	return errors.Join(m.pool.close(), m.write.close())
}

func position(c *conn) (at event.Position, err error) {
	err = c.query("SELECT position FROM _model", nil, func(row []driver.Value) error {
		at = event.Position(row[0].(int64))
		return nil
	})
	return at, err
}

// writer puts rows many at a time.
type writer struct {
	conn  *conn
	sql   map[*projections.Table]*statements
	table *projections.Table // of the rows that wait
	args  []driver.NamedValue
}

func (w *writer) drop(t *projections.Table, prefix projections.Row) error {
	if err := w.flush(); err != nil {
		return err
	}
	return w.conn.exec(drop(t, len(prefix)), values(prefix...)...)
}

func (w *writer) put(t *projections.Table, _ string, row projections.Row) error {
	if w.table != t {
		if err := w.flush(); err != nil {
			return err
		}
		w.table = t
	}
	w.args = appendValues(w.args, row)
	s := w.sql[t]
	if len(w.args) < rowsPerPut*s.width {
		return nil
	}
	err := w.conn.exec(s.putMany, w.args...)
	w.args = w.args[:0]
	return err
}

func (w *writer) flush() error {
	for args := w.args; len(args) > 0; {
		s := w.sql[w.table]
		if err := w.conn.exec(s.put, args[:s.width]...); err != nil {
			return err
		}
		args = args[s.width:]
	}
	w.args = w.args[:0]
	return nil
}
