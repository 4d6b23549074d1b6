package postgres

import (
	"context"
	"encoding/binary"
	"errors"
	"slices"
	"sync"

	"github.com/jackc/pgx/v5"

	"github.com/cleversender/cleversender/adapters/readmodel"
	"github.com/cleversender/cleversender/domain/event"
	"github.com/cleversender/cleversender/projections"
)

// reader implements projections.Reader by query, which calls each with every
// row; the slices are the driver's.
type reader struct {
	store *Store
	id    string
	sql   map[*projections.Table]*statements
	query func(ctx context.Context, text string, args []any, each func(raw [][]byte)) error
}

// Get implements projections.Reader.
func (r reader) Get(ctx context.Context, t *projections.Table, key ...any) (out projections.Row, err error) {
	if err := readmodel.CheckKey(t, key); err != nil {
		return nil, err
	}
	err = r.query(ctx, r.sql[t].get, arguments(key), func(raw [][]byte) { out = row(raw, t) })
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
	if len(keys) == 0 {
		return rows, ctx.Err()
	}
	err := r.query(ctx, r.sql[t].getMany, arrays(t, len(t.Key), keys), func(raw [][]byte) {
		rows[binary.BigEndian.Uint64(raw[0])-1] = row(raw[1:], t)
	})
	return rows, err
}

// Scan implements projections.Reader.
func (r reader) Scan(ctx context.Context, t *projections.Table, prefix, after []any, limit int) (rows []projections.Row, err error) {
	columns := append(slices.Clone(prefix), after...)
	if err := readmodel.Check(t, columns, false); err != nil {
		return nil, err
	}
	err = r.query(ctx, r.sql[t].scan(len(prefix), len(after)), append(arguments(columns), int64(limit)), func(raw [][]byte) {
		rows = append(rows, row(raw, t))
	})
	return rows, err
}

// Position implements readmodel.Model and readmodel.Snapshot.
func (r reader) Position(ctx context.Context) (at event.Position, err error) {
	err = errGone
	if failed := r.query(ctx, r.store.sql.position, []any{r.id}, func(raw [][]byte) {
		at, err = event.Position(binary.BigEndian.Uint64(raw[0])), nil
	}); failed != nil {
		return 0, failed
	}
	return at, err
}

// Poison implements readmodel.Model.
func (r reader) Poison(ctx context.Context, limit int) (all []readmodel.Poison, err error) {
	err = r.query(ctx, r.store.sql.poison, []any{r.id, int64(limit)}, func(raw [][]byte) {
		all = append(all, readmodel.Poison{
			Position: event.Position(binary.BigEndian.Uint64(raw[0])), Event: string(raw[1]), Type: string(raw[2]),
			Version: int(binary.BigEndian.Uint64(raw[3])),
		})
	})
	return all, err
}

// queryOn runs a query on one connection.
func queryOn(ctx context.Context, q interface {
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
}, text string, args []any, each func(raw [][]byte),
) error {
	rows, err := q.Query(ctx, text, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		each(rows.RawValues())
	}
	return rows.Err()
}

// snapshot implements readmodel.Snapshot: a transaction that sees one moment,
// on a connection of its own, since it may be kept for long.
type snapshot struct {
	reader
	conn *pgx.Conn
	tx   pgx.Tx
}

// Snapshot implements readmodel.Model.
func (m *model) Snapshot(ctx context.Context) (readmodel.Snapshot, error) {
	conn, err := pgx.ConnectConfig(ctx, m.store.pool.Config().ConnConfig)
	if err != nil {
		return nil, err
	}
	tx, err := conn.BeginTx(ctx, pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly})
	if err != nil {
		_ = conn.Close(ctx)
		return nil, err
	}
	var mu sync.Mutex
	s := &snapshot{conn: conn, tx: tx, reader: m.reader}
	s.query = func(ctx context.Context, text string, args []any, each func([][]byte)) error {
		mu.Lock()
		defer mu.Unlock()
		return queryOn(ctx, tx, text, args, each)
	}
	if _, err := s.Position(ctx); err != nil { // the first read fixes what is seen
		_ = s.Close()
		return nil, err
	}
	return s, nil
}

// Close implements readmodel.Snapshot.
func (s *snapshot) Close() error {
	ctx := context.Background()
	return errors.Join(s.tx.Rollback(ctx), s.conn.Close(ctx))
}
