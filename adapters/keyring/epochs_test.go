package keyring

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"pgregory.net/rapid"

	"github.com/cleversender/cleversender/domain"
	"github.com/cleversender/cleversender/domain/personal"
)

func TestABackupIsWorthNothingOnceItsEpochIsDestroyed(t *testing.T) {
	dir, uri := t.TempDir(), newRoot(t)
	s := open(t, dir, uri)
	gone, living := newID(t), newID(t)
	ensure(t, s, identity(gone, living)...)
	if err := s.Purge(ctx); err != nil {
		t.Fatal(err)
	}
	backup, err := os.ReadFile(filepath.Join(dir, "keys.db"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Shred(ctx, gone); err != nil {
		t.Fatal(err)
	}
	restore := func() *Store {
		other := t.TempDir()
		epochs, err := os.ReadFile(filepath.Join(dir, "keys.epochs"))
		if err != nil {
			t.Fatal(err)
		}
		for name, data := range map[string][]byte{"keys.db": backup, "keys.epochs": epochs} {
			if err := os.WriteFile(filepath.Join(other, name), data, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		return open(t, other, uri)
	}
	if keys, err := restore().Lookup(ctx, identity(gone)); err != nil || keys[0] == nil {
		t.Fatalf("the backup is no backup: %v", err)
	}
	if _, err := s.NewEpoch(ctx); err != nil {
		t.Fatal(err)
	}
	if err := s.DestroyEpoch(ctx, 1); err != nil {
		t.Fatal(err)
	}
	for _, who := range []domain.ID{gone, living} {
		if _, err := restore().Lookup(ctx, identity(who)); !errors.Is(err, errEpochGone) {
			t.Errorf("a key of the backup opens, or seems erased: %v", err)
		}
	}
	if keys, err := s.Lookup(ctx, identity(living, gone)); err != nil || keys[0] == nil || keys[1] != nil {
		t.Errorf("the keys in use: %v", err)
	}
}

func TestAnEpochIsNotDestroyedWhileItIsNeeded(t *testing.T) {
	dir, uri := t.TempDir(), newRoot(t)
	s := open(t, dir, uri)
	ensure(t, s, identity(newID(t))...)
	for n, want := range map[int]error{0: ErrEpochUnknown, 2: ErrEpochUnknown, 1: ErrEpochInUse} {
		if err := s.DestroyEpoch(ctx, n); !errors.Is(err, want) {
			t.Errorf("epoch %d: %v", n, err)
		}
	}
	// A process that died in the middle of NewEpoch: the KEK is there, nothing is rewrapped.
	half, err := s.epochs.Load().next(false)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.replaceEpochs(half); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = open(t, dir, uri)
	if err := s.DestroyEpoch(ctx, 1); !errors.Is(err, ErrEpochInUse) {
		t.Errorf("in the middle of it: %v", err)
	}
	if n, err := s.NewEpoch(ctx); err != nil || n != 2 {
		t.Fatalf("epoch %d, %v: the one begun is to be finished", n, err)
	}
	for range 2 {
		if err := s.DestroyEpoch(ctx, 1); err != nil {
			t.Error(err)
		}
	}
	if n, err := s.NewEpoch(ctx); err != nil || n != 3 {
		t.Errorf("epoch %d, %v", n, err)
	}
}

func TestAnEpochRewrapsMoreThanOneBatchBesideNewKeys(t *testing.T) {
	s := open(t, t.TempDir(), newRoot(t))
	var subjects []domain.ID
	for range 2*rewrapBatch + 10 {
		subjects = append(subjects, newID(t))
	}
	before := ensure(t, s, identity(subjects...)...)
	done := make(chan error)
	go func() { _, err := s.NewEpoch(ctx); done <- err }()
	for range 50 {
		ensure(t, s, identity(newID(t))...)
	}
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if err := s.DestroyEpoch(ctx, 1); err != nil {
		t.Fatal(err)
	}
	s.cache = cache{}
	after, err := s.Lookup(ctx, identity(subjects...))
	if err != nil {
		t.Fatal(err)
	}
	for i := range subjects {
		if !same(before[i], after[i]) {
			t.Fatalf("key %d is another", i)
		}
	}
}

func TestTheShreddedNeverComeBack(t *testing.T) {
	dir, uri := t.TempDir(), newRoot(t)
	s := open(t, dir, uri)
	rapid.Check(t, func(r *rapid.T) {
		people := make([]domain.ID, 4)
		for i := range people {
			people[i] = newID(t)
		}
		shredded := map[domain.ID]bool{}
		sealed := map[personal.KeyRef][]byte{}
		nonce := make([]byte, nonceSize)
		ref := rapid.Custom(func(r *rapid.T) personal.KeyRef {
			return personal.KeyRef{Subject: rapid.SampledFrom(people).Draw(r, "who"),
				Class: rapid.SampledFrom([]personal.Class{personal.Identity, personal.Evidence}).Draw(r, "class")}
		})
		check := func(r *rapid.T) {
			for ref, text := range sealed {
				keys, err := s.Lookup(ctx, []personal.KeyRef{ref})
				if err != nil {
					r.Fatalf("a key that existed: %v", err)
				}
				if shredded[ref.Subject] != (keys[0] == nil) {
					r.Fatalf("shredded %v, key there %v", shredded[ref.Subject], keys[0] != nil)
				}
				if keys[0] != nil {
					if plain, err := keys[0].Open(nil, nonce, text, nil); err != nil || !bytes.Equal(plain, []byte("x")) {
						r.Fatalf("the key of a living person is another: %v", err)
					}
				}
			}
		}
		r.Repeat(map[string]func(*rapid.T){
			"ensure": func(r *rapid.T) {
				refs := rapid.SliceOfN(ref, 1, 5).Draw(r, "refs")
				keys, err := s.Ensure(ctx, refs)
				if err != nil {
					r.Fatal(err)
				}
				for i, ref := range refs {
					if (keys[i] == nil) != shredded[ref.Subject] {
						r.Fatalf("shredded %v, key there %v", shredded[ref.Subject], keys[i] != nil)
					}
					if keys[i] != nil && sealed[ref] == nil {
						sealed[ref] = keys[i].Seal(nil, nonce, []byte("x"), nil)
					}
				}
			},
			"shred": func(r *rapid.T) {
				who := rapid.SampledFrom(people).Draw(r, "who")
				if _, err := s.Shred(ctx, who); err != nil {
					r.Fatal(err)
				}
				shredded[who] = true
			},
			"new epoch": func(r *rapid.T) {
				n, err := s.NewEpoch(ctx)
				if err != nil {
					r.Fatal(err)
				}
				if err := s.DestroyEpoch(ctx, n-1); err != nil {
					r.Fatal(err)
				}
			},
			"restart": func(r *rapid.T) {
				if err := s.Close(); err != nil {
					r.Fatal(err)
				}
				s = open(t, dir, uri)
			},
			"": check,
		})
	})
}
