// Package keyring keeps the keys that personal data is sealed with, and the
// directory that finds people by a keyed hash of their address.
//
// Everything is in one file, keys.db, but for the key-encryption keys (KEKs),
// which are in keys.epochs beside it, wrapped by the root key.
//
// What holds, and when:
//
//   - What a method returns without error is durable: committed and synced.
//   - Shred is for good. The person's keys are overwritten, a tombstone stays,
//     and no key is made for them again. Who looks gets nil: the person is erased.
//   - A key that was asked for and never existed is ErrKeyMissing: not an
//     erasure but a loss.
//   - After Purge no byte of keys.db, nor of its WAL, holds anything of what
//     was deleted before it. Rows that hold a secret never move inside the
//     file, so that no copy can stay behind in free space.
//   - Without the right root key nothing opens: root_key_missing, root_key_wrong.
//
// What an epoch gives: a backup of keys.db holds the keys of people who were
// erased after it was made, wrapped by the KEK of that time. Once NewEpoch has
// rewrapped the living keys and DestroyEpoch has destroyed that KEK, such a
// backup opens nobody's data. So make a fresh backup of keys.db between the two.
//
// What it does not give: it cannot reach a copy of keys.epochs made before
// DestroyEpoch, when the root key is at hand as well. Keep keys.epochs out of
// the backups that are kept for long, and away from those of keys.db. Old
// backups of the directory still say, to who holds the root key, that an
// address was known then.
package keyring

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

	"github.com/cleversender/cleversender/domain"
)

// ErrKeyMissing: a key that never existed was asked for, so something sealed
// is lost, or comes from elsewhere. It is a fault, and worth an alarm.
var ErrKeyMissing = errors.New("the key never existed")

// ErrClosed: the store was closed.
var ErrClosed = errors.New("keyring is closed")

// Store is an open keys.db. It is safe for concurrent use, by one process.
type Store struct {
	path   string
	root   sealer
	epochs atomic.Pointer[epochs]
	writer *writer
	reader *reader
	cache  cache

	rotating   sync.Mutex // held by NewEpoch and DestroyEpoch
	secretsMu  sync.Mutex // guards secrets, and what Keep and Destroy do
	secrets    map[string][]byte
	directory  hasher
	suppressed hasher
}

// Open opens keys.db at path with the root key that uri names, and makes it
// when there is none. It refuses with root_key_missing, root_key_wrong,
// root_key_bad or epochs_missing.
func Open(ctx context.Context, path, uri string) (*Store, error) {
	key, err := readRootKey(uri)
	if err != nil {
		return nil, err
	}
	s := &Store{path: path, secrets: map[string][]byte{}}
	if s.root, err = newSealer(key); err != nil {
		return nil, err
	}
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
	e, err := readEpochs(s.epochsPath(), s.root)
	switch {
	case errors.Is(err, fs.ErrNotExist) && known:
		return ErrEpochsMissing
	case errors.Is(err, fs.ErrNotExist):
		if e, err = firstEpoch(); err == nil {
			err = e.write(s.epochsPath(), s.root)
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
