package sqlite

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/cleversender/cleversender/adapters/keyring"
	"github.com/cleversender/cleversender/adapters/keyring/keyringtest"
	"github.com/cleversender/cleversender/domain"
)

func TestABackupIsWorthNothingOnceItsEpochIsDestroyed(t *testing.T) {
	dir, uri := t.TempDir(), keyringtest.NewRoot(t)
	s := open(t, dir, uri)
	gone, living := keyringtest.NewID(), keyringtest.NewID()
	ensure(t, s, keyringtest.Identity(gone, living)...)
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
	if keys, err := restore().Lookup(ctx, keyringtest.Identity(gone)); err != nil || keys[0] == nil {
		t.Fatalf("the backup is no backup: %v", err)
	}
	if _, err := s.NewEpoch(ctx); err != nil {
		t.Fatal(err)
	}
	if err := s.DestroyEpoch(ctx, 1); err != nil {
		t.Fatal(err)
	}
	for _, who := range []domain.ID{gone, living} {
		if _, err := restore().Lookup(ctx, keyringtest.Identity(who)); !errors.Is(err, keyring.ErrEpochGone) {
			t.Errorf("a key of the backup opens, or seems erased: %v", err)
		}
	}
	if keys, err := s.Lookup(ctx, keyringtest.Identity(living, gone)); err != nil || keys[0] == nil || keys[1] != nil {
		t.Errorf("the keys in use: %v", err)
	}
}

func TestAnEpochIsNotDestroyedWhileItIsNeeded(t *testing.T) {
	dir, uri := t.TempDir(), keyringtest.NewRoot(t)
	s := open(t, dir, uri)
	ensure(t, s, keyringtest.Identity(keyringtest.NewID())...)
	for n, want := range map[int]error{0: keyring.ErrEpochUnknown, 2: keyring.ErrEpochUnknown, 1: keyring.ErrEpochInUse} {
		if err := s.DestroyEpoch(ctx, n); !errors.Is(err, want) {
			t.Errorf("epoch %d: %v", n, err)
		}
	}
	// A process that died in the middle of NewEpoch: the KEK is there, nothing is rewrapped.
	half, err := s.epochs.Load().Next()
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
	if err := s.DestroyEpoch(ctx, 1); !errors.Is(err, keyring.ErrEpochInUse) {
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
