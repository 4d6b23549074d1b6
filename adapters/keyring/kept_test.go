package keyring

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"testing"

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

// The first secret of a name stays it, across restarts and epochs, and is in no
// byte of the files as it is.
func TestKeep(t *testing.T) {
	dir, uri := t.TempDir(), newRoot(t)
	s := open(t, dir, uri)
	if got, err := s.Kept(ctx, "a"); got != nil || err != nil {
		t.Errorf("before: %v, %v", got, err)
	}
	if got := keep(t, s, "a", privateKey); !bytes.Equal(got, privateKey) {
		t.Error("another secret came back")
	}
	if got := keep(t, s, "a", []byte("another")); !bytes.Equal(got, privateKey) {
		t.Error("the secret was replaced")
	}
	none := errors.New("none was made")
	if _, err := s.Keep(ctx, "b", func() ([]byte, error) { return nil, none }); !errors.Is(err, none) {
		t.Error(err)
	}
	keep(t, s, "b", []byte("another"))
	if _, err := s.NewEpoch(ctx); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(s.DestroyEpoch(ctx, 1), s.Close()); err != nil {
		t.Fatal(err)
	}
	s = open(t, dir, uri)
	if got, err := s.Kept(ctx, "a"); err != nil || !bytes.Equal(got, privateKey) {
		t.Errorf("after a restart: %v", err)
	}
	if bytes.Contains(bytesOf(t, dir), privateKey[:25]) {
		t.Error("the secret is on the disk")
	}
}

// A secret that was destroyed is gone from the files, and from backups once
// their epoch is destroyed; its name is not used again.
func TestDestroy(t *testing.T) {
	dir, uri := t.TempDir(), newRoot(t)
	s := open(t, dir, uri)
	keep(t, s, "a", privateKey)
	keep(t, s, "b", []byte("another"))
	at, _, err := s.reader.kept(ctx, "a")
	if err != nil {
		t.Fatal(err)
	}
	var wrapped []byte
	err = existingKey(s, personal.KeyRef{Subject: at.subject, Class: secretClass}, &wrapped)
	if err = errors.Join(err, s.Purge(ctx)); err != nil {
		t.Fatal(err)
	}
	before := bytesOf(t, dir)
	if !bytes.Contains(before, wrapped) || !bytes.Contains(before, at.sealed[:64]) {
		t.Fatal("the search does not find what is there")
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
	if _, err := s.Kept(ctx, "a"); !errors.Is(err, ErrDestroyed) {
		t.Errorf("opens: %v", err)
	}
	if _, err := s.Keep(ctx, "a", func() ([]byte, error) { return privateKey, nil }); !errors.Is(err, ErrDestroyed) {
		t.Errorf("kept again: %v", err)
	}
	if got, err := s.Kept(ctx, "b"); err != nil || string(got) != "another" {
		t.Errorf("another secret: %v", err)
	}
	if after := bytesOf(t, dir); bytes.Contains(after, wrapped) || bytes.Contains(after, at.sealed[:64]) {
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
	if _, err := open(t, other, uri).Kept(ctx, "a"); !errors.Is(err, errEpochGone) {
		t.Errorf("opens from the backup: %v", err)
	}
}

func existingKey(s *Store, ref personal.KeyRef, wrapped *[]byte) error {
	_, err := existing(s.reading(ctx), []personal.KeyRef{ref}, []int{0}, func(_ int, b []byte) error {
		*wrapped = bytes.Clone(b)
		return nil
	})
	return err
}
