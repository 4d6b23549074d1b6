package postgres

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/cleversender/cleversender/adapters/keyring"
	"github.com/cleversender/cleversender/domain/personal"
)

const rewrapBatch = 1000

// Epoch is the epoch that new keys are wrapped in, as far as this node has heard.
func (s *Store) Epoch() int { return int(s.epochs.Load().Current()) }

// reload reads what another node may have done to the epochs.
func (s *Store) reload(ctx context.Context) (*keyring.Epochs, error) {
	var e *keyring.Epochs
	err := s.again(ctx, func() (err error) {
		e, err = s.keks.read(ctx)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read the epochs: %w", err)
	}
	s.epochs.Store(e)
	return e, nil
}

// NewEpoch makes a new KEK and rewraps every living key with it, in bounded
// batches, beside the work that goes on. When an earlier call, of whichever
// node, did not come to its end, it is finished first, and no further epoch is
// begun.
func (s *Store) NewEpoch(ctx context.Context) (epoch int, err error) {
	err = s.inTurn(ctx, func(conn *pgxpool.Conn) error {
		e, err := s.reload(ctx)
		if err != nil {
			return err
		}
		if !e.Unfinished() {
			if e, err = e.Next(); err != nil {
				return err
			}
			if err := s.replaceEpochs(ctx, conn, e); err != nil {
				return err
			}
		}
		epoch = int(e.Current())
		err = s.alone(ctx, func(b *pgx.Batch) {
			b.Queue(`UPDATE epoch SET oldest = greatest(oldest, $1)`, e.Current())
		})
		if err != nil {
			return err
		}
		if err := s.rewrapAll(ctx, e); err != nil {
			return err
		}
		return s.replaceEpochs(ctx, conn, e.Rewrapped())
	})
	if err != nil {
		return 0, fmt.Errorf("new epoch: %w", err)
	}
	return epoch, nil
}

// replaceEpochs writes the epochs, and tells the other nodes.
func (s *Store) replaceEpochs(ctx context.Context, conn *pgxpool.Conn, e *keyring.Epochs) error {
	if err := s.keks.write(ctx, conn, e); err != nil {
		return fmt.Errorf("write the epochs: %w", err)
	}
	s.epochs.Store(e)
	_, err := conn.Exec(ctx, `SELECT pg_notify($1, $2)`, s.place.schema, newEpochs)
	return err
}

// rewrapAll moves every key into the current epoch, in the order of their ids.
func (s *Store) rewrapAll(ctx context.Context, e *keyring.Epochs) error {
	for after := (personal.KeyRef{}); ; {
		var last personal.KeyRef
		var refs []personal.KeyRef
		var old, fresh [][]byte
		n := 0
		err := s.query(ctx, func() { refs, old, fresh, n = nil, nil, nil, 0 }, func(rows pgx.Rows) error {
			var class int16
			var wrapped []byte
			if err := rows.Scan((*[16]byte)(&last.Subject), &class, &wrapped); err != nil {
				return err
			}
			last.Class = personal.Class(class)
			n++
			moved, err := e.Rewrap(last, wrapped)
			if err == nil && moved != nil {
				refs, old, fresh = append(refs, last), append(old, wrapped), append(fresh, moved)
			}
			return err
		}, `SELECT subject, class, wrapped FROM keys WHERE (subject, class) > ($1, $2) ORDER BY subject, class LIMIT $3`,
			[16]byte(after.Subject), int16(after.Class), rewrapBatch)
		if err != nil {
			return err
		}
		after = last
		if err := s.rewrap(ctx, refs, old, fresh); err != nil || n < rewrapBatch {
			return err
		}
	}
}

// rewrap replaces keys by what they are in another epoch, where they are what
// they were: one that was destroyed meanwhile does not come back, and one that
// another node has moved further stays there.
func (s *Store) rewrap(ctx context.Context, refs []personal.KeyRef, old, fresh [][]byte) error {
	subjects, classes := columns(refs)
	return s.exec(ctx, `UPDATE keys k SET wrapped = a.fresh
		FROM unnest($1::uuid[], $2::smallint[], $3::bytea[], $4::bytea[]) AS a(subject, class, old, fresh)
		WHERE k.subject = a.subject AND k.class = a.class AND k.wrapped = a.old`, subjects, classes, old, fresh)
}

// DestroyEpoch destroys the KEK of an epoch for good. It refuses with
// epoch_in_use while a key is wrapped in it. Asked again it does nothing.
func (s *Store) DestroyEpoch(ctx context.Context, epoch int) error {
	return s.inTurn(ctx, func(conn *pgxpool.Conn) error {
		e, err := s.reload(ctx)
		if err != nil {
			return err
		}
		if done, err := e.MayDestroy(epoch); done || err != nil {
			return err
		}
		var used bool
		err = conn.QueryRow(ctx, `SELECT EXISTS (SELECT FROM keys WHERE substr(wrapped, 1, 4) = int4send($1))`, epoch).Scan(&used)
		if err != nil {
			return fmt.Errorf("keys of epoch %d: %w", epoch, err)
		}
		if used {
			return keyring.ErrEpochInUse
		}
		return s.replaceEpochs(ctx, conn, e.Without(uint32(epoch)))
	})
}
