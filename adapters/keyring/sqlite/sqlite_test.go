package sqlite

import (
	"context"
	"crypto/cipher"
	"errors"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/cleversender/cleversender/adapters/keyring"
	"github.com/cleversender/cleversender/adapters/keyring/keyringtest"
	"github.com/cleversender/cleversender/domain"
	"github.com/cleversender/cleversender/domain/personal"
)

var ctx = context.Background()

func TestMain(m *testing.M) {
	keyringtest.FewerChecks()
	os.Exit(m.Run())
}

// TestKeyring: what every keyring promises.
func TestKeyring(t *testing.T) {
	keyringtest.Run(t, func(t *testing.T) keyringtest.Open {
		path := filepath.Join(t.TempDir(), "keys.db")
		return func(uri string) (keyringtest.Store, error) { return Open(ctx, path, uri) }
	})
}

// Keys without the epochs beside them are no keyring, and none is made of them.
func TestWithoutItsEpochsNothingOpens(t *testing.T) {
	dir, uri := t.TempDir(), keyringtest.NewRoot(t)
	if err := open(t, dir, uri).Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(filepath.Join(dir, "keys.epochs")); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(ctx, filepath.Join(dir, "keys.db"), uri); !errors.Is(err, keyring.ErrEpochsMissing) {
		t.Errorf("got %v", err)
	}
}

func open(t testing.TB, dir, uri string) *Store {
	t.Helper()
	s, err := Open(ctx, filepath.Join(dir, "keys.db"), uri)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func ensure(t testing.TB, s *Store, refs ...personal.KeyRef) []cipher.AEAD {
	t.Helper()
	keys, err := s.Ensure(ctx, refs)
	if err != nil {
		t.Fatal(err)
	}
	return keys
}

func TestWhatAFailedJobDidIsUndoneAndTheOthersGoOn(t *testing.T) {
	s := open(t, t.TempDir(), keyringtest.NewRoot(t))
	broken := errors.New("broken")
	account := domain.ID{1}
	var all sync.WaitGroup
	for i := range 200 {
		all.Go(func() {
			if i%10 == 0 {
				err := s.writer.do(func(w *writer) error {
					if err := w.put(directoryBook, keyring.Hash{byte(i), 255}, domain.ID{9}); err != nil {
						return err
					}
					return broken
				})
				if !errors.Is(err, broken) {
					t.Errorf("got %v", err)
				}
				return
			}
			ensure(t, s, keyringtest.Identity(keyringtest.NewID())...)
			if _, err := s.Reserve(ctx, account, []string{string(rune('a'+i%26)) + "@example.com"}); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	for i := range 20 {
		_, found, err := s.reader.lookIn(ctx, directoryBook, keyring.Hash{byte(10 * i), 255})
		if err != nil || found {
			t.Fatalf("what was undone is there: %v", err)
		}
	}
}
