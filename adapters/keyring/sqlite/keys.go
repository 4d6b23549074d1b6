package sqlite

import (
	"context"
	"crypto/cipher"
	"database/sql"
	"fmt"
	"slices"

	"github.com/cleversender/cleversender/adapters/keyring"
	"github.com/cleversender/cleversender/domain"
	"github.com/cleversender/cleversender/domain/personal"
)

// Ensure implements eventlog.Keyring: it returns the keys named, and makes
// those that do not exist; they are durable when it returns. The key of an
// erased person is nil. Callers that come together share one commit.
func (s *Store) Ensure(ctx context.Context, refs []personal.KeyRef) ([]cipher.AEAD, error) {
	out, todo, err := s.find(ctx, refs)
	if err != nil || len(todo.missing) == 0 {
		return out, err
	}
	if err := s.mint(refs, out, todo); err != nil {
		return nil, fmt.Errorf("make %d keys: %w", len(todo.missing), err)
	}
	return out, nil
}

// Lookup implements eventlog.Keyring: a nil key was destroyed; one that never
// existed is ErrKeyMissing.
func (s *Store) Lookup(ctx context.Context, refs []personal.KeyRef) ([]cipher.AEAD, error) {
	out, todo, err := s.find(ctx, refs)
	if err != nil || len(todo.missing) == 0 {
		return out, err
	}
	subjects := make([]domain.ID, len(todo.missing))
	for k, i := range todo.missing {
		subjects[k] = refs[i].Subject
	}
	slices.SortFunc(subjects, compareIDs)
	gone := map[domain.ID]bool{}
	if err := tombstones(s.reading(ctx), subjects, func(id domain.ID) { gone[id] = true }); err != nil {
		return nil, fmt.Errorf("look up keys: %w", err)
	}
	for _, i := range todo.missing {
		if !gone[refs[i].Subject] {
			return nil, fmt.Errorf("class %d of subject %s: %w", refs[i].Class, refs[i].Subject, keyring.ErrKeyMissing)
		}
	}
	return out, nil
}

// AtHand implements eventlog.Ready.
func (s *Store) AtHand(refs []personal.KeyRef) ([]cipher.AEAD, bool) {
	out := make([]cipher.AEAD, len(refs))
	todo := s.remembered(refs, out)
	return out, len(todo.missing) == 0
}

func (s *Store) reading(ctx context.Context) queryer {
	done := ctx.Err()
	ctx = context.WithoutCancel(ctx) // watching one costs as much as a row of each read
	return func(query string, args ...any) (*sql.Rows, error) {
		if done != nil {
			return nil, done
		}
		return s.reader.query(ctx, query, args...)
	}
}

// pending is what find leaves to do: indexes of refs without a row, and when
// the cache was asked.
type pending struct {
	missing []int
	asked   keyring.Moment
}

// find returns the keys that exist: nil where a key is destroyed, or missing.
func (s *Store) find(ctx context.Context, refs []personal.KeyRef) ([]cipher.AEAD, pending, error) {
	out := make([]cipher.AEAD, len(refs))
	todo := s.remembered(refs, out)
	missing, asked := todo.missing, todo.asked
	if len(missing) == 0 {
		return out, todo, nil
	}
	newest := *s.writer.horizon.Load()
	old := slices.ContainsFunc(missing, func(i int) bool { return compareIDs(refs[i].Subject, newest) <= 0 })
	if !old {
		return out, todo, nil
	}
	read := func(i int, wrapped []byte) error {
		s.cache.Put(asked, refs[i], wrapped)
		return s.open(refs, out, i, wrapped)
	}
	beside := func(ref personal.KeyRef, wrapped []byte) { s.cache.PutBeside(asked, ref, wrapped) }
	var err error
	if todo.missing, err = existing(s.reading(ctx), refs, missing, read, beside); err != nil {
		return nil, todo, fmt.Errorf("look up keys: %w", err)
	}
	return out, todo, nil
}

// remembered fills in the keys that are in memory.
func (s *Store) remembered(refs []personal.KeyRef, out []cipher.AEAD) pending {
	missing, asked := s.cache.Get(refs, func(i int, wrapped []byte) error { return s.open(refs, out, i, wrapped) })
	return pending{missing, asked}
}

func (s *Store) open(refs []personal.KeyRef, out []cipher.AEAD, i int, wrapped []byte) (err error) {
	out[i], err = s.epochs.Load().Open(refs[i], wrapped)
	return err
}

// existing calls found for each of the refs at want that has a row, and
// returns the others. The keys of behaviour that it came by go to beside, unless that is nil.
func existing(q queryer, refs []personal.KeyRef, want []int, found func(i int, wrapped []byte) error,
	beside func(personal.KeyRef, []byte),
) ([]int, error) {
	byClass := map[personal.Class][]int{}
	for _, i := range want {
		byClass[refs[i].Class] = append(byClass[refs[i].Class], i)
	}
	var missing []int
	for class, of := range byClass {
		slices.SortFunc(of, func(a, b int) int { return compareIDs(refs[a].Subject, refs[b].Subject) })
		subjects := make([]domain.ID, len(of))
		for k, i := range of {
			subjects[k] = refs[i].Subject
		}
		seen := make([]bool, len(of))
		see := func(id domain.ID, wrapped []byte) error {
			k, _ := slices.BinarySearchFunc(subjects, id, compareIDs)
			for ; k < len(of) && subjects[k] == id; k++ {
				if seen[k] {
					continue
				}
				seen[k] = true
				if err := found(of[k], wrapped); err != nil {
					return err
				}
			}
			return nil
		}
		if err := nearby(q, class, subjects, see, beside); err != nil {
			return nil, err
		}
		if err := wrappedKeys(q, class, without(subjects, seen), see); err != nil {
			return nil, err
		}
		for k, i := range of {
			if !seen[k] {
				missing = append(missing, i)
			}
		}
	}
	slices.Sort(missing)
	return missing, nil
}

// without is the subjects that are not seen yet.
func without(subjects []domain.ID, seen []bool) []domain.ID {
	var left []domain.ID
	for k, id := range subjects {
		if !seen[k] {
			left = append(left, id)
		}
	}
	return left
}
