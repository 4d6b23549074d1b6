package sqlite

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/cleversender/cleversender/adapters/keyring"
	"github.com/cleversender/cleversender/adapters/keyring/keyringtest"
	"github.com/cleversender/cleversender/domain/personal"
)

var privateKey = bytes.Repeat([]byte("a private key, in plain. "), 80)

func keep(t *testing.T, s *Store, name string, secret []byte) []byte {
	t.Helper()
	got, err := s.Keep(ctx, name, func() ([]byte, error) { return secret, nil })
	if err != nil {
		t.Fatal(err)
	}
	return got
}

// A secret is in no byte of the files as it is; one that was destroyed is gone from them, and from backups once
// their epoch is destroyed; its name is not used again.
func TestDestroy(t *testing.T) {
	dir, uri := t.TempDir(), keyringtest.NewRoot(t)
	s := open(t, dir, uri)
	keep(t, s, "a", privateKey)
	keep(t, s, "b", []byte("another"))
	at, _, err := s.reader.kept(ctx, "a")
	if err != nil {
		t.Fatal(err)
	}
	var wrapped []byte
	err = existingKey(s, personal.KeyRef{Subject: at.Subject, Class: keyring.SecretClass}, &wrapped)
	if err = errors.Join(err, s.Purge(ctx)); err != nil {
		t.Fatal(err)
	}
	before := bytesOf(t, dir)
	if !bytes.Contains(before, wrapped) || !bytes.Contains(before, at.Sealed[:64]) {
		t.Fatal("the search does not find what is there")
	}
	if bytes.Contains(before, privateKey[:25]) {
		t.Error("the secret is on the disk as it is")
	}
	backup, err := os.ReadFile(filepath.Join(dir, "keys.db"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"a", "a", "never"} {
		if err := s.Destroy(ctx, name); err != nil {
			t.Error(err)
		}
	}
	if _, err := s.Kept(ctx, "a"); !errors.Is(err, keyring.ErrDestroyed) {
		t.Errorf("opens: %v", err)
	}
	if _, err := s.Keep(ctx, "a", func() ([]byte, error) { return privateKey, nil }); !errors.Is(err, keyring.ErrDestroyed) {
		t.Errorf("kept again: %v", err)
	}
	if got, err := s.Kept(ctx, "b"); err != nil || string(got) != "another" {
		t.Errorf("another secret: %v", err)
	}
	if after := bytesOf(t, dir); bytes.Contains(after, wrapped) || bytes.Contains(after, at.Sealed[:64]) {
		t.Error("something of it is left")
	}
	if _, err := s.NewEpoch(ctx); err != nil {
		t.Fatal(err)
	}
	if err := s.DestroyEpoch(ctx, 1); err != nil {
		t.Fatal(err)
	}
	epochs, err := os.ReadFile(s.epochsPath())
	if err != nil {
		t.Fatal(err)
	}
	other := t.TempDir()
	for name, data := range map[string][]byte{"keys.db": backup, "keys.epochs": epochs} {
		if err := os.WriteFile(filepath.Join(other, name), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := open(t, other, uri).Kept(ctx, "a"); !errors.Is(err, keyring.ErrEpochGone) {
		t.Errorf("opens from the backup: %v", err)
	}
}

func existingKey(s *Store, ref personal.KeyRef, wrapped *[]byte) error {
	_, err := existing(s.reading(ctx), []personal.KeyRef{ref}, []int{0}, func(_ int, b []byte) error {
		*wrapped = bytes.Clone(b)
		return nil
	}, nil)
	return err
}
