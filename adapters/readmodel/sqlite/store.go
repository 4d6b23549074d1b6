// Package sqlite keeps each read model in an SQLite file of its own: rows and
// position change in one transaction, readers see whole transactions only.
//
// A crash of the machine may lose the last transactions (synchronous=NORMAL):
// they are folded again from the log, which loses nothing.
package sqlite

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/cleversender/cleversender/adapters/readmodel"
	"github.com/cleversender/cleversender/projections"
)

// Store implements readmodel.Store in a folder.
type Store struct{ folder string }

// New keeps models in a folder, and makes it if need be.
func New(folder string) (*Store, error) {
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return nil, fmt.Errorf("read models: %w", err)
	}
	return &Store{folder}, nil
}

func (s *Store) path(id string) string { return filepath.Join(s.folder, id+".db") }

// Open implements readmodel.Store.
func (s *Store) Open(ctx context.Context, id string, tables []*projections.Table) (readmodel.Model, error) {
	m, err := openModel(s.path(id), tables)
	if err != nil {
		return nil, fmt.Errorf("model %s: %w", id, err)
	}
	return m, ctx.Err()
}

// IDs implements readmodel.Store.
func (s *Store) IDs(context.Context) ([]string, error) {
	files, err := filepath.Glob(filepath.Join(s.folder, "*.db"))
	if err != nil {
		return nil, err
	}
	ids := make([]string, 0, len(files))
	for _, f := range files {
		ids = append(ids, strings.TrimSuffix(filepath.Base(f), ".db"))
	}
	slices.Sort(ids)
	return ids, nil
}

// Replace implements readmodel.Store. What the old model left beside its file
// goes first, so that SQLite never takes it for the new one's.
func (s *Store) Replace(_ context.Context, from, id string) error {
	if err := remove(s.path(id), "-wal", "-shm"); err != nil {
		return err
	}
	if err := os.Rename(s.path(from), s.path(id)); err != nil {
		return err
	}
	return remove(s.path(from), "-wal", "-shm")
}

// Drop implements readmodel.Store.
func (s *Store) Drop(_ context.Context, id string) error {
	return remove(s.path(id), "-wal", "-shm", "")
}

func remove(path string, suffixes ...string) error {
	for _, x := range suffixes {
		if err := os.Remove(path + x); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}
