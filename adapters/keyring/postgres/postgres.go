// Package postgres keeps a keyring in a schema of a PostgreSQL database, for
// any number of nodes on any number of machines.
//
// Beyond what every keyring promises, for nodes that share one:
//
//   - Of two nodes that make the same key, secret or reservation at once, the
//     one that commits first wins, and both use that.
//   - Once Shred has returned, no node is given a key of that person to seal
//     with: Ensure asks the database each time, and what adds a key and what
//     takes one away exclude each other there.
//   - Other nodes open what the destroyed key has sealed for at most Trust
//     longer, usually for some milliseconds: open keys are kept in memory by
//     Lookup alone, no longer than Trust after they were read, and a
//     notification evicts them before.
//   - A node that meets a key of an epoch begun elsewhere reads the epochs
//     again. No key is made in an epoch that NewEpoch has replaced, so none
//     is lost with its KEK.
//   - A database that restarts or fails over is waited for, for 30 seconds. What
//     it lost, such as the last commits when its replica is asynchronous, is lost.
//
// What is not promised: that the bytes are gone. Purge takes deleted rows out
// of their pages, but PostgreSQL never overwrites the space that becomes free,
// and the WAL, replicas and backups keep what was there. What is left is keys
// wrapped by a KEK, and keyed hashes: nothing without the root key, and once
// the KEK's epoch is destroyed, nothing of the keys with it either.
//
// The KEKs are in a schema of their own, to be left out of dumps, or in a file:
// see Open. docs/postgres.md says what to do.
package postgres

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/cleversender/cleversender/adapters/keyring"
)

// Trust is how long after it was read a key opens without the database being asked again.
const Trust = 5 * time.Second

// Store is a keyring on PostgreSQL. It is safe for concurrent use, by any
// number of processes.
type Store struct {
	place  place
	root   keyring.Root
	pool   *pgxpool.Pool
	keks   keks
	epochs atomic.Pointer[keyring.Epochs]
	cache  keyring.Cache

	turn       sync.Mutex
	mu         sync.Mutex // guards secrets
	secrets    map[string][]byte
	directory  keyring.Hasher
	suppressed keyring.Hasher

	closed chan struct{}
	close  sync.Once
	ends   sync.WaitGroup // the listener
}

// Open opens the keyring at a postgres:// URL with the root key that root
// names, and makes it when there is none. Beside what pgx reads, the URL takes
// schema (cleversender_keys when missing), which keyrings in one database have
// to differ by, and epochs: file:///path is a file that every node can read and
// write, missing is a table in the schema named like the other with _epochs
// behind. The connection is direct, or by a pooler in session mode. It refuses
// as package keyring says.
func Open(ctx context.Context, url, root string) (*Store, error) {
	at, err := parse(url)
	if err != nil {
		return nil, err
	}
	s := &Store{place: at, cache: keyring.Cache{Trust: Trust}, secrets: map[string][]byte{}, closed: make(chan struct{})}
	if s.root, err = keyring.OpenRoot(root); err != nil {
		return nil, err
	}
	if s.pool, err = pgxpool.NewWithConfig(ctx, at.config); err != nil {
		return nil, err
	}
	if err := s.open(ctx); err != nil {
		s.pool.Close()
		return nil, fmt.Errorf("open the keys in schema %s: %w", at.schema, err)
	}
	s.ends.Go(s.listen)
	return s, nil
}

func (s *Store) open(ctx context.Context) error {
	if err := s.prepare(ctx); err != nil {
		return err
	}
	var err error
	if s.directory, err = s.secret(ctx, keyring.ForDirectory); err != nil {
		return err
	}
	s.suppressed, err = s.secret(ctx, keyring.ForSuppression)
	return err
}

// Close waits for what is under way.
func (s *Store) Close() error {
	s.close.Do(func() {
		close(s.closed)
		s.ends.Wait()
		s.pool.Close()
	})
	return nil
}

// Purge takes deleted rows out of the pages of their tables, unless a
// transaction elsewhere in the database could still see them. See the package
// for what it does not reach.
func (s *Store) Purge(ctx context.Context) error {
	if err := s.exec(ctx, `VACUUM keys, kept, directory, suppressed`); err != nil {
		return fmt.Errorf("purge keys: %w", err)
	}
	return nil
}
