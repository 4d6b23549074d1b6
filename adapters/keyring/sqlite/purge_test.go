package sqlite

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/cleversender/cleversender/adapters/keyring/keyringtest"
	"github.com/cleversender/cleversender/domain"
	"github.com/cleversender/cleversender/domain/personal"
)

// bytesOf is every file of the folder whose name begins with keys.
func bytesOf(t *testing.T, dir string) []byte {
	t.Helper()
	var all []byte
	files, err := filepath.Glob(filepath.Join(dir, "keys*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		raw, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, raw...)
	}
	return all
}

func wrappedOf(t *testing.T, s *Store, subject domain.ID) (all [][]byte) {
	t.Helper()
	for _, class := range personal.Classes {
		err := wrappedKeys(s.reading(ctx), class, []domain.ID{subject}, func(_ domain.ID, wrapped []byte) error {
			all = append(all, bytes.Clone(wrapped))
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return all
}

// Pages that were full and split, rows out of order, epochs in between: where
// rows move, copies of them are left in free space. None may be.
func TestNothingOfTheErasedIsLeftInAnyByte(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir, keyringtest.NewRoot(t))
	account := domain.ID{1}
	type one struct {
		id      domain.ID
		address string
		secret  [][]byte
	}
	var people []one
	var refs []personal.KeyRef
	const n, each = 12000, 600
	for i := 0; i < n; i += each {
		addresses := make([]string, each)
		for k := range addresses {
			addresses[k] = fmt.Sprintf("person%d@example.com", i+k)
		}
		reserved, err := s.Reserve(ctx, account, addresses)
		if err != nil {
			t.Fatal(err)
		}
		if i == n/2 { // the others stay staged
			if err := s.writer.do((*writer).merge); err != nil {
				t.Fatal(err)
			}
		}
		for k, r := range reserved {
			people = append(people, one{id: r.Person, address: addresses[k]})
			refs = append(refs, personal.KeyRef{Subject: r.Person, Class: personal.Identity},
				personal.KeyRef{Subject: r.Person, Class: personal.Behaviour})
		}
	}
	rand.Shuffle(len(refs), func(a, b int) { refs[a], refs[b] = refs[b], refs[a] })
	for i := 0; i < len(refs); i += 150 {
		ensure(t, s, refs[i:min(i+150, len(refs))]...)
	}
	erased := people[:0:0]
	for i := 0; i < n; i += 7 {
		p := people[i]
		held, gone := s.directory.One(account, p.address), s.suppressed.One(account, p.address)
		p.secret = append(wrappedOf(t, s, p.id), held[:])
		if len(erased)%2 == 0 {
			p.secret = append(p.secret, gone[:]) // was on the list, and came back
		}
		erased = append(erased, p)
	}
	if _, err := s.NewEpoch(ctx); err != nil {
		t.Fatal(err)
	}
	for i, p := range erased {
		erased[i].secret = append(erased[i].secret, wrappedOf(t, s, p.id)...)
	}
	if err := s.Purge(ctx); err != nil {
		t.Fatal(err)
	}
	if before := bytesOf(t, dir); !bytes.Contains(before, wrappedOf(t, s, erased[0].id)[0]) {
		t.Fatal("the search does not find what is there")
	}
	var all sync.WaitGroup
	for worker := range 32 { // they share commits
		all.Go(func() {
			for i := worker; i < len(erased); i += 32 {
				p := erased[i]
				err := s.Forget(ctx, account, p.address, p.id, true)
				if i%2 == 0 {
					err = errors.Join(err, s.Unsuppress(ctx, account, p.address))
				}
				n, failed := s.Shred(ctx, p.id)
				if err = errors.Join(err, failed); err != nil || n != 2 {
					t.Errorf("%d keys, %v", n, err)
				}
			}
		})
	}
	all.Wait()
	if err := s.Purge(ctx); err != nil {
		t.Fatal(err)
	}
	left := map[[16]byte]bool{} // by their first 16 bytes, since there are many
	for _, p := range erased {
		for _, secret := range p.secret {
			tail := secret[len(secret)-16:]
			left[[16]byte(tail)] = true
		}
	}
	raw := bytesOf(t, dir)
	for i := 0; i+16 <= len(raw); i++ {
		if left[[16]byte(raw[i:i+16])] {
			t.Fatalf("something of an erased person is left at byte %d of %d", i, len(raw))
		}
	}
}
