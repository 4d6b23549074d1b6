package keyring

import (
	"context"
	"crypto/cipher"
	"crypto/rand"
	"database/sql"
	"fmt"
	"slices"
	"strings"

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
			return nil, fmt.Errorf("class %d of subject %s: %w", refs[i].Class, refs[i].Subject, ErrKeyMissing)
		}
	}
	return out, nil
}

func (s *Store) reading(ctx context.Context) queryer {
	return func(query string, args ...any) (*sql.Rows, error) { return s.reader.query(ctx, query, args...) }
}

// pending is what find leaves to do: indexes of refs without a row, and when
// the cache was asked.
type pending struct {
	missing []int
	at      uint64
}

// find returns the keys that exist: nil where a key is destroyed, or missing.
func (s *Store) find(ctx context.Context, refs []personal.KeyRef) ([]cipher.AEAD, pending, error) {
	out := make([]cipher.AEAD, len(refs))
	missing, at := s.cache.get(refs, out)
	todo := pending{missing, at}
	if len(missing) == 0 {
		return out, todo, nil
	}
	newest := *s.writer.horizon.Load()
	old := slices.ContainsFunc(missing, func(i int) bool { return compareIDs(refs[i].Subject, newest) <= 0 })
	if !old {
		return out, todo, nil
	}
	open := func(i int, wrapped []byte) (err error) {
		out[i], err = s.open(refs[i], wrapped)
		return err
	}
	var err error
	if todo.missing, err = existing(s.reading(ctx), refs, missing, open); err != nil {
		return nil, todo, fmt.Errorf("look up keys: %w", err)
	}
	s.cache.put(at, refs, out, missing)
	return out, todo, nil
}

func (s *Store) open(ref personal.KeyRef, wrapped []byte) (cipher.AEAD, error) {
	key, err := s.epochs.Load().unwrap(ref, wrapped)
	if err != nil {
		return nil, fmt.Errorf("key of class %d of subject %s: %w", ref.Class, ref.Subject, err)
	}
	if key == nil {
		return nil, nil
	}
	return newAEAD(key)
}

// existing calls found for each of the refs at want that has a row, and
// returns the others.
func existing(q queryer, refs []personal.KeyRef, want []int, found func(i int, wrapped []byte) error) ([]int, error) {
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
		err := wrappedKeys(q, class, subjects, func(id domain.ID, wrapped []byte) error {
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
		})
		if err != nil {
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

// mint makes the keys that are missing, unless somebody else just did or the
// person is erased.
func (s *Store) mint(refs []personal.KeyRef, out []cipher.AEAD, todo pending) error {
	fresh := make([]minted, 0, len(todo.missing))
	e := s.epochs.Load()
	keys := make([]byte, keySize*len(todo.missing))
	_, _ = rand.Read(keys) // never fails (crypto/rand)
	for k, i := range todo.missing {
		key := keys[keySize*k : keySize*(k+1)]
		aead, err := newAEAD(key)
		if err != nil {
			return err
		}
		fresh = append(fresh, minted{i, refs[i], key, e.wrap(refs[i], key), aead})
	}
	slices.SortFunc(fresh, func(a, b minted) int {
		if c := compareIDs(a.ref.Subject, b.ref.Subject); c != 0 {
			return c
		}
		return int(a.ref.Class) - int(b.ref.Class)
	})
	err := s.writer.do(func(w *writer) error { return s.insert(w, refs, out, fresh) })
	if err != nil {
		return err
	}
	s.cache.put(todo.at, refs, out, todo.missing)
	return nil
}

// minted is a key on its way into the database.
type minted struct {
	at      int // index of refs
	ref     personal.KeyRef
	key     []byte
	wrapped []byte
	aead    cipher.AEAD
}

func (s *Store) insert(w *writer, refs []personal.KeyRef, out []cipher.AEAD, fresh []minted) error {
	// Subjects after the newest that the writer knows can have no row: the
	// usual case of an import, whose ids grow.
	first, _ := slices.BinarySearchFunc(fresh, w.newest, func(m minted, id domain.ID) int {
		if compareIDs(m.ref.Subject, id) <= 0 {
			return -1
		}
		return 1
	})
	known := make([]int, first)
	subjects := make([]domain.ID, first)
	for k, m := range fresh[:first] {
		known[k], subjects[k] = m.at, m.ref.Subject
	}
	there := map[personal.KeyRef]cipher.AEAD{}
	_, err := existing(w.query, refs, known, func(i int, wrapped []byte) (err error) {
		there[refs[i]], err = s.open(refs[i], wrapped)
		return err
	})
	if err != nil {
		return err
	}
	gone := map[domain.ID]bool{}
	if err := tombstones(w.query, subjects, func(id domain.ID) { gone[id] = true }); err != nil {
		return err
	}
	e := s.epochs.Load()
	add := make([]minted, 0, len(fresh))
	for k, m := range fresh {
		aead, exists := there[m.ref]
		switch {
		case k > 0 && fresh[k-1].ref == m.ref: // named twice
			out[m.at] = out[fresh[k-1].at]
			continue
		case k < first && gone[m.ref.Subject]:
			out[m.at] = nil
			continue
		case k < first && exists:
			out[m.at] = aead
			continue
		}
		if epoch, _ := epochOf(m.wrapped); epoch != e.current { // a new epoch began meanwhile
			m.wrapped = e.wrap(m.ref, m.key)
		}
		out[m.at] = m.aead
		add = append(add, m)
	}
	return w.insertKeys(add)
}

func (w *writer) insertKeys(add []minted) error {
	if len(add) > 0 {
		w.saw(add[len(add)-1].ref.Subject)
	}
	for len(add) > 0 {
		n := 1
		for _, size := range sizes {
			if size <= len(add) && size <= 64 {
				n = size
			}
		}
		args := make([]any, 0, 3*n)
		for _, m := range add[:n] {
			args = append(args, m.ref.Subject[:], int64(m.ref.Class), m.wrapped)
		}
		if err := w.exec(insertKeys[n], args...); err != nil {
			return err
		}
		add = add[n:]
	}
	return nil
}

// insertKeys by the number of rows.
var insertKeys = func() map[int]string {
	m := map[int]string{}
	for _, n := range sizes {
		m[n] = `INSERT INTO keys (subject, class, wrapped) VALUES ` + strings.Repeat(`(?, ?, ?), `, n-1) + `(?, ?, ?)`
	}
	return m
}()
