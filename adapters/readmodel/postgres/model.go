package postgres

import (
	"context"
	"encoding/binary"
	"errors"
	"os"
	"sync"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/cleversender/cleversender/adapters/readmodel"
	"github.com/cleversender/cleversender/projections"
)

// errGone: somebody has dropped the model.
var errGone = errors.New("the model is not there any more")

// model implements readmodel.Model.
type model struct {
	reader
	tables []*projections.Table
	mu     sync.Mutex // one batch at a time
	closed bool
}

func newModel(s *Store, id string, tables []*projections.Table) *model {
	m := &model{tables: tables, reader: reader{store: s, id: id, sql: map[*projections.Table]*statements{}, query: s.query}}
	for _, t := range tables {
		m.sql[t] = statementsOf(s.schema, id, t)
	}
	return m
}

// Apply implements readmodel.Model. No transaction is open while it folds:
// what has been read holds if the position and the edition are the same at the
// end, when everything is written in one go.
func (m *model) Apply(ctx context.Context, b readmodel.Batch) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed {
		return os.ErrClosed
	}
	edition, err := m.edition(ctx, b)
	if err != nil {
		return err
	}
	var w pgx.Batch
	changes := 0
	if b.Fold == nil { // a position alone may be lost in a crash
		w.Queue(m.store.sql.asleep)
	} else {
		changes = 1
	}
	w.Queue(m.store.sql.move, m.id, int64(b.From), int64(b.Next), changes, edition, m.store.node)
	if b.Fold != nil {
		ahead := readmodel.Ahead{Tables: m.tables, Many: func(t *projections.Table, keys [][]any) ([]projections.Row, error) {
			return m.GetMany(ctx, t, keys)
		}}
		changed, err := ahead.Fold(b.Fold)
		if err != nil {
			return err
		}
		if err := m.write(&w, changed); err != nil {
			return err
		}
	}
	for _, p := range b.Poison {
		w.Queue(m.store.sql.poisoned, m.id, int64(p.Position), p.Event, p.Type, int64(p.Version))
	}
	return m.send(ctx, &w)
}

// edition is of a model that is where a batch starts from, and not another node's.
func (m *model) edition(ctx context.Context, b readmodel.Batch) (edition int64, err error) {
	found := false
	err = m.query(ctx, m.store.sql.at, []any{m.id, int64(b.From), m.store.node}, func(raw [][]byte) {
		edition, found = int64(binary.BigEndian.Uint64(raw[0])), true
	})
	if err == nil && !found {
		err = readmodel.ErrMoved
	}
	return edition, err
}

// putRows bounds the rows of a statement.
const putRows = 4000

// write queues what a fold has changed.
func (m *model) write(w *pgx.Batch, changed *readmodel.Buffer) error {
	var table *projections.Table
	var rows []projections.Row
	flush := func() {
		if len(rows) > 0 {
			w.Queue(m.sql[table].put, arrays(table, len(table.Key)+len(table.Values), rows)...)
		}
		rows = rows[:0]
	}
	err := changed.Write(func(t *projections.Table, prefix projections.Row) error {
		flush()
		w.Queue(m.sql[t].drop(len(prefix)), arguments(prefix)...)
		return nil
	}, func(t *projections.Table, _ string, row projections.Row) error {
		if t != table || len(rows) == putRows {
			flush()
			table = t
		}
		rows = append(rows, row)
		return nil
	})
	flush()
	return err
}

// send executes a batch as one transaction.
func (m *model) send(ctx context.Context, w *pgx.Batch) error {
	err := m.store.pool.SendBatch(ctx, w).Close()
	var answer *pgconn.PgError
	if errors.As(err, &answer) && answer.Code == "22012" { // division by zero
		return readmodel.ErrMoved
	}
	return err
}

// Close implements readmodel.Model.
func (m *model) Close() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.closed = true
	return nil
}
