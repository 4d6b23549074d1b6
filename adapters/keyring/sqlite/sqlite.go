// Package sqlite keeps a keyring in one file, keys.db, but for the
// key-encryption keys (KEKs), which are in keys.epochs beside it.
//
// Beyond what every keyring promises: after Purge no byte of keys.db, nor of
// its WAL, holds anything of what was deleted before it. Rows that hold a secret
// never move inside the file, so that no copy can stay behind in free space.
package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/cleversender/cleversender/adapters/keyring"
	"github.com/cleversender/cleversender/domain"
)

// Store is an open keys.db. It is safe for concurrent use, by one process.
type Store struct {
	path   string
	root   keyring.Root
	epochs atomic.Pointer[keyring.Epochs]
	writer *writer
	reader *reader
	cache  keyring.Cache

	rotating   sync.Mutex // held by NewEpoch and DestroyEpoch
	secretsMu  sync.Mutex // guards secrets, and what Keep and Destroy do
	secrets    map[string][]byte
	directory  keyring.Hasher
	suppressed keyring.Hasher
}

// Open opens keys.db at path with the root key that uri names, and makes it
// when there is none. It refuses with root_key_missing, root_key_wrong,
// root_key_bad or epochs_missing.
func Open(ctx context.Context, path, uri string) (*Store, error) {
	root, err := keyring.OpenRoot(uri)
	if err != nil {
		return nil, err
	}
	s := &Store{path: path, root: root, secrets: map[string][]byte{}}
	if err := s.openEpochs(); err != nil {
		return nil, err
	}
	if err := s.openFiles(ctx); err != nil {
		return nil, fmt.Errorf("open %s: %w", filepath.Base(path), err)
	}
	if err := s.openDirectory(ctx); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

func (s *Store) openFiles(ctx context.Context) error {
	f, err := os.OpenFile(s.path, os.O_RDWR|os.O_CREATE, 0o600) // SQLite gives the WAL the same mode
	if err != nil {
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	if s.writer, err = openWriter(ctx, s.path); err != nil {
		return err
	}
	if s.reader, err = openReader(s.path); err != nil {
		return errors.Join(err, s.writer.close())
	}
	return nil
}

// openEpochs reads the KEKs, or makes the first one for a store that is new.
func (s *Store) openEpochs() error {
	_, err := os.Stat(s.path)
	known := err == nil
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	e, err := keyring.ReadEpochs(s.epochsPath(), s.root)
	switch {
	case errors.Is(err, fs.ErrNotExist) && known:
		return keyring.ErrEpochsMissing
	case errors.Is(err, fs.ErrNotExist):
		if e, err = keyring.FirstEpoch(); err == nil {
			err = e.WriteFile(s.epochsPath(), s.root)
		}
	}
	if err != nil {
		return err
	}
	s.epochs.Store(e)
	return nil
}

func (s *Store) epochsPath() string {
	return strings.TrimSuffix(s.path, filepath.Ext(s.path)) + ".epochs"
}

// Close waits for what is under way.
func (s *Store) Close() error {
	return errors.Join(s.reader.close(), s.writer.close())
}

// Purge leaves nothing of what was deleted before in any byte of the files: it
// moves the WAL into keys.db and truncates it.
func (s *Store) Purge(ctx context.Context) error {
	if err := s.writer.checkpoint(ctx); err != nil {
		return fmt.Errorf("purge keys: %w", err)
	}
	return nil
}

func dsn(path, more string) string {
	// An opaque URL keeps SQLite from reading ? and # in the path.
	return "file:" + (&url.URL{Path: path}).EscapedPath() + "?_pragma=page_size(" + pageSize + ")&_pragma=busy_timeout(10000)" +
		"&_pragma=journal_mode(wal)&_pragma=synchronous(full)&_pragma=secure_delete(1)&_pragma=temp_store(memory)" + more
}

func openDB(path, more string, conns int) (*sql.DB, error) {
	db, err := sql.Open("sqlite", dsn(path, more))
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(conns)
	db.SetMaxIdleConns(conns)
	return db, nil
}

func idOf(b []byte) (domain.ID, error) {
	if len(b) != 16 {
		return domain.ID{}, fmt.Errorf("an id of %d bytes", len(b))
	}
	return domain.ID(b), nil
}
