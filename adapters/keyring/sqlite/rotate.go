package sqlite

import (
	"context"
	"fmt"

	"github.com/cleversender/cleversender/adapters/keyring"
	"github.com/cleversender/cleversender/domain/personal"
)

const rewrapBatch = 1000

// Epoch is the epoch that new keys are wrapped in.
func (s *Store) Epoch() int { return int(s.epochs.Load().Current()) }

// NewEpoch makes a new KEK and rewraps every living key with it, in bounded
// batches, beside the work that goes on. When an earlier call did not come to
// its end, it is finished first, and no further epoch is begun.
func (s *Store) NewEpoch(ctx context.Context) (epoch int, err error) {
	s.rotating.Lock()
	defer s.rotating.Unlock()
	e := s.epochs.Load()
	if !e.Unfinished() {
		if e, err = e.Next(); err != nil {
			return 0, err
		}
		if err := s.replaceEpochs(e); err != nil {
			return 0, err
		}
	}
	for after, more := int64(0), true; more; {
		if err := ctx.Err(); err != nil {
			return 0, err
		}
		if after, more, err = s.rewrap(e, after); err != nil {
			return 0, fmt.Errorf("rewrap keys after slot %d: %w", after, err)
		}
	}
	return int(e.Current()), s.replaceEpochs(e.Rewrapped())
}

func (s *Store) replaceEpochs(e *keyring.Epochs) error {
	if err := e.WriteFile(s.epochsPath(), s.root); err != nil {
		return err
	}
	s.epochs.Store(e)
	return nil
}

// rewrap moves one batch of slots into the current epoch.
func (s *Store) rewrap(e *keyring.Epochs, after int64) (last int64, more bool, err error) {
	err = s.writer.do(func(w *writer) error {
		last, more = after, false
		type slot struct {
			id      int64
			wrapped []byte
		}
		var old []slot
		rows, err := w.query(`SELECT slot, subject, class, wrapped FROM keys WHERE slot > ? ORDER BY slot LIMIT ?`, after, rewrapBatch)
		if err != nil {
			return err
		}
		defer rows.Close()
		for n := 1; rows.Next(); n++ {
			var subject, wrapped []byte
			var class uint8
			if err := rows.Scan(&last, &subject, &class, &wrapped); err != nil {
				return err
			}
			more = n == rewrapBatch
			ref := personal.KeyRef{Class: personal.Class(class)}
			if ref.Subject, err = idOf(subject); err != nil {
				return err
			}
			wrapped, err := e.Rewrap(ref, wrapped)
			if err != nil {
				return err
			}
			if wrapped != nil {
				old = append(old, slot{last, wrapped})
			}
		}
		if err := rows.Err(); err != nil {
			return err
		}
		for _, o := range old {
			if err := w.exec(`UPDATE keys SET wrapped = ? WHERE slot = ?`, o.wrapped, o.id); err != nil {
				return err
			}
		}
		return nil
	})
	return last, more, err
}

// DestroyEpoch destroys the KEK of an epoch for good. It refuses with
// epoch_in_use while a key is wrapped in it. Asked again it does nothing.
func (s *Store) DestroyEpoch(ctx context.Context, epoch int) error {
	s.rotating.Lock()
	defer s.rotating.Unlock()
	e := s.epochs.Load()
	if done, err := e.MayDestroy(epoch); done || err != nil {
		return err
	}
	used, err := s.reader.inEpoch(ctx, uint32(epoch))
	if err != nil {
		return fmt.Errorf("keys of epoch %d: %w", epoch, err)
	}
	if used {
		return keyring.ErrEpochInUse
	}
	return s.replaceEpochs(e.Without(uint32(epoch)))
}
