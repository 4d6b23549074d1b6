package sqlite

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/google/uuid"

	"github.com/cleversender/cleversender/adapters/keyring"
	"github.com/cleversender/cleversender/domain"
	"github.com/cleversender/cleversender/domain/personal"
)

// Keep returns the secret of a name, the one from make when there is none yet;
// it is durable then. It is sealed with a key of its own, as a person's data is:
// backups and epochs are the same to it.
func (s *Store) Keep(ctx context.Context, name string, make func() ([]byte, error)) ([]byte, error) {
	s.secretsMu.Lock()
	defer s.secretsMu.Unlock()
	secret, err := s.Kept(ctx, name)
	if secret != nil || err != nil {
		return secret, err
	}
	if secret, err = make(); err != nil {
		return nil, err
	}
	subject := domain.ID(uuid.Must(uuid.NewV7()))
	key, err := s.Ensure(ctx, []personal.KeyRef{{Subject: subject, Class: keyring.SecretClass}})
	if err != nil {
		return nil, fmt.Errorf("keep %s: %w", name, err)
	}
	k := keyring.Keep(subject, key[0], name, secret)
	err = s.writer.do(func(w *writer) error {
		return w.exec(`INSERT INTO kept (name, subject, sealed) VALUES (?, ?, ?)`, name, k.Subject[:], k.Sealed)
	})
	if err != nil {
		return nil, fmt.Errorf("keep %s: %w", name, err)
	}
	return secret, nil
}

// Kept returns the secret of a name; nil: there never was one. ErrDestroyed
// when it was destroyed.
func (s *Store) Kept(ctx context.Context, name string) ([]byte, error) {
	k, found, err := s.reader.kept(ctx, name)
	if err != nil {
		return nil, fmt.Errorf("look for %s: %w", name, err)
	}
	if !found {
		return nil, nil
	}
	key, err := s.Lookup(ctx, []personal.KeyRef{{Subject: k.Subject, Class: keyring.SecretClass}})
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", name, err)
	}
	return k.Open(key[0], name)
}

// Destroy destroys the secret of a name for good. No other is kept under it.
// Asked again, or of a name that was never used, it does nothing.
func (s *Store) Destroy(ctx context.Context, name string) error {
	s.secretsMu.Lock()
	defer s.secretsMu.Unlock()
	k, found, err := s.reader.kept(ctx, name)
	if err != nil || !found {
		return err
	}
	if _, err := s.Shred(ctx, k.Subject); err != nil {
		return err
	}
	err = s.writer.do(func(w *writer) error { return w.exec(`UPDATE kept SET sealed = x'' WHERE name = ?`, name) })
	if err != nil {
		return fmt.Errorf("destroy %s: %w", name, err)
	}
	return s.Purge(ctx)
}

func (r *reader) kept(ctx context.Context, name string) (k keyring.Kept, found bool, err error) {
	rows, err := r.query(ctx, `SELECT subject, sealed FROM kept WHERE name = ?`, name)
	if err != nil {
		return keyring.Kept{}, false, err
	}
	defer rows.Close()
	if !rows.Next() {
		return keyring.Kept{}, false, rows.Err()
	}
	var subject sql.RawBytes
	if err := rows.Scan(&subject, &k.Sealed); err != nil {
		return keyring.Kept{}, false, err
	}
	k.Subject, err = idOf(subject)
	return k, true, err
}
