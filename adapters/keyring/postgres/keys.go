package postgres

import (
	"context"
	"crypto/cipher"
	"errors"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"

	"github.com/cleversender/cleversender/adapters/keyring"
	"github.com/cleversender/cleversender/domain/personal"
)

// Ensure implements eventlog.Keyring: it returns the keys named, and makes
// those that do not exist; they are durable when it returns. The key of an
// erased person is nil, from the moment that Shred has returned on any node.
func (s *Store) Ensure(ctx context.Context, refs []personal.KeyRef) ([]cipher.AEAD, error) {
	out := make([]cipher.AEAD, len(refs))
	rows, err := s.look(ctx, refs)
	if err != nil {
		return nil, fmt.Errorf("look up keys: %w", err)
	}
	var missing []int
	for i, f := range rows {
		if f.missing() {
			missing = append(missing, i)
		}
	}
	if err := s.openAll(ctx, refs, rows, out); err != nil {
		return nil, err
	}
	if len(missing) > 0 {
		if err := s.mint(ctx, refs, out, missing); err != nil {
			return nil, fmt.Errorf("make %d keys: %w", len(missing), err)
		}
	}
	return out, nil
}

// Lookup implements eventlog.Keyring: a nil key was destroyed; one that never
// existed is ErrKeyMissing. A key destroyed by another node may be given out
// for as long as Trust.
func (s *Store) Lookup(ctx context.Context, refs []personal.KeyRef) ([]cipher.AEAD, error) {
	out := make([]cipher.AEAD, len(refs))
	missing, asked := s.cache.Get(refs, func(i int, wrapped []byte) (err error) {
		out[i], err = s.epochs.Load().Open(refs[i], wrapped)
		return err
	})
	if len(missing) == 0 {
		return out, nil
	}
	some := make([]personal.KeyRef, len(missing))
	for k, i := range missing {
		some[k] = refs[i]
	}
	rows, err := s.look(ctx, some)
	if err != nil {
		return nil, fmt.Errorf("look up keys: %w", err)
	}
	if k := slices.IndexFunc(rows, found.missing); k >= 0 {
		return nil, fmt.Errorf("class %d of subject %s: %w", some[k].Class, some[k].Subject, keyring.ErrKeyMissing)
	}
	keys := make([]cipher.AEAD, len(some))
	if err := s.openAll(ctx, some, rows, keys); err != nil {
		return nil, err
	}
	for k, i := range missing {
		out[i] = keys[k]
		s.cache.Put(asked, refs[i], rows[k].wrapped)
	}
	return out, nil
}

// found is what the database says of a key: its stored form, or that the person
// is erased, or neither.
type found struct {
	wrapped []byte
	erased  bool
}

func (f found) missing() bool { return f.wrapped == nil && !f.erased }

// look asks for keys.
func (s *Store) look(ctx context.Context, refs []personal.KeyRef) ([]found, error) {
	subjects, classes := columns(refs)
	return s.found(ctx, len(refs), `SELECT n, wrapped, erased FROM look($1, $2)`, subjects, classes)
}

// found is the answer of look or mint, by the place of what was asked for.
func (s *Store) found(ctx context.Context, n int, query string, args ...any) ([]found, error) {
	var out []found
	err := s.query(ctx, func() { out = make([]found, n) }, func(rows pgx.Rows) error {
		var at int64
		var f found
		if err := rows.Scan(&at, &f.wrapped, &f.erased); err != nil {
			return err
		}
		out[at-1] = f
		return nil
	}, query, args...)
	return out, err
}

// columns is keys as PostgreSQL takes them.
func columns(refs []personal.KeyRef) (subjects [][16]byte, classes []int16) {
	subjects, classes = make([][16]byte, len(refs)), make([]int16, len(refs))
	for i, ref := range refs {
		subjects[i], classes[i] = ref.Subject, int16(ref.Class)
	}
	return subjects, classes
}

// openAll makes those keys usable that were found. The epochs are read once
// more when one is wrapped in an epoch that this node does not know.
func (s *Store) openAll(ctx context.Context, refs []personal.KeyRef, rows []found, out []cipher.AEAD) error {
	e, fresh := s.epochs.Load(), false
	for i, f := range rows {
		if f.wrapped == nil {
			continue
		}
		key, err := e.Open(refs[i], f.wrapped)
		if errors.Is(err, keyring.ErrEpochGone) && !fresh {
			if e, err = s.reload(ctx); err != nil {
				return err
			}
			fresh = true
			key, err = e.Open(refs[i], f.wrapped)
		}
		if err != nil {
			return err
		}
		out[i] = key
	}
	return nil
}
