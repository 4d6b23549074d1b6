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
	var changed *readmodel.Buffer
	if b.Fold != nil {
		if changed, err = m.fold(ctx, nil, b.Fold); err != nil {
			return err
		}
	}
	return m.commit(ctx, b, changed, edition)
}

func (m *model) fold(ctx context.Context, near func(*projections.Table, string) (projections.Row, bool), fold func(projections.Rows) error,
) (*readmodel.Buffer, error) {
	stored := m.reader
	stored.query = m.store.query
	ahead := readmodel.Ahead{Tables: m.tables, Near: near, Many: func(t *projections.Table, keys [][]any) ([]projections.Row, error) {
		return stored.GetMany(ctx, t, keys)
	}}
	return ahead.Fold(fold)
}

// commit writes a batch in one go; changed is nil when it is a position alone,
// which may be lost in a crash.
func (m *model) commit(ctx context.Context, b readmodel.Batch, changed *readmodel.Buffer, edition int64) error {
	var w pgx.Batch
	changes := 0
	if changed == nil {
		w.Queue(m.store.sql.asleep)
	} else {
		changes = 1
	}
	w.Queue(m.store.sql.move, m.id, int64(b.From), int64(b.Next), changes, edition, m.store.node)
	if changed != nil {
		if err := m.write(&w, changed); err != nil {
			return err
		}
	}
	m.queuePoison(&w, b.Poison)
	return moved(m.store.pool.SendBatch(ctx, &w).Close())
}

func (m *model) queuePoison(w *pgx.Batch, all []readmodel.Poison) {
	for _, p := range all {
		w.Queue(m.store.sql.poisoned, m.id, int64(p.Position), p.Event, p.Type, int64(p.Version))
	}
}

// moved says what the end of a batch says.
func moved(err error) error {
	var answer *pgconn.PgError
	if errors.As(err, &answer) && answer.Code == "22012" { // division by zero
		return readmodel.ErrMoved
	}
	return err
}

// edition is of a model that is where a batch starts from, and not another node's.
func (m *model) edition(ctx context.Context, b readmodel.Batch) (edition int64, err error) {
	found := false
	err = m.store.query(ctx, m.store.sql.at, []any{m.id, int64(b.From), m.store.node}, func(raw [][]byte) {
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
			w.Queue(m.sql[table].put, arrays(table, m.sql[table].width(), rows)...)
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

// Close implements readmodel.Model.
func (m *model) Close() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.closed = true
	return nil
}
