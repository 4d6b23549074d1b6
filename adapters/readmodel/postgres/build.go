package postgres

import (
	"context"
	"errors"
	"maps"
	"os"
	"slices"

	"github.com/jackc/pgx/v5"

	"github.com/cleversender/cleversender/adapters/readmodel"
	"github.com/cleversender/cleversender/domain/event"
	"github.com/cleversender/cleversender/projections"
)

// building is a model that is filled before anybody reads it. It keeps what
// batches change in memory, and writes much at a time while the next batches
// fold: new rows by COPY. What has not been written is lost in a crash,
// together with the position; what is read is written first.
type building struct {
	*model
	at      event.Position // after the last batch
	kept    changes
	written map[*projections.Table]*sieve // keys that are, or were, in the table

	flight  changes    // what is being written
	landing chan error // gives its outcome; nil: nothing is
}

// defaultKeep bounds the bytes that a model that is built keeps back, and
// those that it writes meanwhile.
const defaultKeep = 8 << 20

// errNotEmpty: a model is built from the first event.
var errNotEmpty = errors.New("the model is not empty")

// Build implements readmodel.Builder.
func (s *Store) Build(ctx context.Context, id string, tables []*projections.Table) (readmodel.Model, error) {
	m, err := s.open(ctx, id, tables)
	if err != nil {
		return nil, err
	}
	if at, err := m.Position(ctx); err != nil || at != 0 {
		return nil, errors.Join(err, errNotEmpty)
	}
	b := &building{model: m, written: map[*projections.Table]*sieve{}, kept: newChanges()}
	for _, t := range tables {
		b.written[t] = newSieve()
	}
	m.query = func(ctx context.Context, text string, args []any, each func(raw [][]byte)) error {
		if err := b.settled(ctx); err != nil {
			return err
		}
		return s.query(ctx, text, args, each)
	}
	return b, nil
}

// near knows what is in memory, and most of what is nowhere.
func (b *building) near(t *projections.Table, key string) (projections.Row, bool) {
	if row, ok := b.kept.rows[t][key]; ok {
		return row.row(t), true
	}
	if row, ok := b.flight.rows[t][key]; ok {
		return row.row(t), true
	}
	return nil, !b.written[t].has(key)
}

// Apply implements readmodel.Model.
func (b *building) Apply(ctx context.Context, batch readmodel.Batch) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch {
	case b.closed:
		return os.ErrClosed
	case ctx.Err() != nil:
		return ctx.Err()
	case batch.From != b.at:
		return readmodel.ErrMoved
	}
	if batch.Fold != nil {
		changed, err := b.fold(ctx, b.near, batch.Fold)
		if err != nil {
			return err
		}
		if changed.Drops() { // only the tables know what they hold of it
			return b.direct(ctx, batch, changed)
		}
		if err := changed.Write(nil, func(t *projections.Table, key string, row projections.Row) error {
			b.kept.put(t, key, row)
			return nil
		}); err != nil {
			return err
		}
	}
	b.kept.poison = append(b.kept.poison, batch.Poison...)
	b.at, b.kept.next, b.kept.any = batch.Next, batch.Next, true
	if b.kept.size < b.store.keep {
		return nil
	}
	return b.takeOff(ctx)
}

// direct writes a batch as any model does.
func (b *building) direct(ctx context.Context, batch readmodel.Batch, changed *readmodel.Buffer) error {
	if err := b.settle(ctx); err != nil {
		return err
	}
	edition, err := b.edition(ctx, batch)
	if err != nil {
		return err
	}
	if err := b.commit(ctx, batch, changed, edition); err != nil {
		return err
	}
	b.at = batch.Next
	return changed.Write(func(*projections.Table, projections.Row) error { return nil },
		func(t *projections.Table, key string, _ projections.Row) error {
			b.written[t].add(key)
			return nil
		})
}

// takeOff has what is kept written while the caller goes on.
func (b *building) takeOff(ctx context.Context) error {
	if err := b.land(); err != nil {
		return err
	}
	b.flight, b.kept = b.kept, newChanges()
	b.landing = make(chan error, 1)
	sorted, flight := b.sort(), b.flight
	go func() { b.landing <- b.write(context.WithoutCancel(ctx), flight, sorted) }()
	return nil
}

// land waits until nothing is being written.
func (b *building) land() error {
	if b.landing == nil {
		return nil
	}
	err := <-b.landing
	b.landing, b.flight = nil, changes{}
	return err
}

// settle has everything written. The caller holds b.mu.
func (b *building) settle(ctx context.Context) error {
	if b.kept.any {
		if err := b.takeOff(ctx); err != nil {
			return err
		}
	}
	return b.land()
}

func (b *building) settled(ctx context.Context) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.settle(ctx)
}

// sorted is the changes of one table, in key order.
type sorted struct {
	*statements
	fresh [][]byte          // rows whose keys have never been in the table
	other []projections.Row // the others
}

// sort prepares the flight, and takes its keys for written.
func (b *building) sort() (all []sorted) {
	for _, t := range b.tables {
		s, seen, rows := sorted{statements: b.sql[t]}, b.written[t], b.flight.rows[t]
		for _, key := range slices.Sorted(maps.Keys(rows)) {
			if seen.has(key) {
				s.other = append(s.other, rows[key].row(t))
				continue
			}
			s.fresh = append(s.fresh, rows[key])
			seen.add(key)
		}
		all = append(all, s)
	}
	return all
}

// write is one transaction, which may be lost in a crash of the server, unless
// the model takes another's place: that waits for all before it.
func (b *building) write(ctx context.Context, flight changes, all []sorted) error {
	return pgx.BeginFunc(ctx, b.store.pool, func(tx pgx.Tx) error {
		var w pgx.Batch
		w.Queue(b.store.sql.asleep)
		w.Queue(b.store.sql.build, b.id, int64(flight.next), b.store.node)
		b.queuePoison(&w, flight.poison)
		for _, s := range all {
			for rows := range slices.Chunk(s.other, putRows) {
				w.Queue(s.put, arrays(s.table, s.width(), rows)...)
			}
		}
		if err := moved(tx.SendBatch(ctx, &w).Close()); err != nil {
			return err
		}
		for _, s := range all {
			if len(s.fresh) > 0 {
				if err := copyIn(ctx, tx, s.statements, s.fresh); err != nil {
					return err
				}
			}
		}
		return nil
	})
}

// Snapshot implements readmodel.Model.
func (b *building) Snapshot(ctx context.Context) (readmodel.Snapshot, error) {
	if err := b.settled(ctx); err != nil {
		return nil, err
	}
	return b.model.Snapshot(ctx)
}

// Purge implements readmodel.Model.
func (b *building) Purge(ctx context.Context) error {
	if err := b.settled(ctx); err != nil {
		return err
	}
	return b.model.Purge(ctx)
}

// Close implements readmodel.Model.
func (b *building) Close() error {
	return errors.Join(b.settled(context.Background()), b.model.Close())
}
