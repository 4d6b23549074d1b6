package postgres

import (
	"bytes"
	"context"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/cleversender/cleversender/adapters/keyring"
	"github.com/cleversender/cleversender/domain"
	"github.com/cleversender/cleversender/domain/personal"
)

// MACKey is the installation's 32-byte secret for a purpose, made when first
// asked for; the same one ever after, on every node. The bytes are the caller's
// to keep.
func (s *Store) MACKey(ctx context.Context, purpose string) ([]byte, error) {
	key, err := s.secret(ctx, keyring.ForMAC(purpose))
	return bytes.Clone(key), err
}

func (s *Store) secret(ctx context.Context, purpose string) ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if key, ok := s.secrets[purpose]; ok {
		return key, nil
	}
	var wrapped []byte
	err := s.exec(ctx, `INSERT INTO secrets (purpose, wrapped) VALUES ($1, $2) ON CONFLICT DO NOTHING`,
		purpose, s.root.WrapSecret(purpose, keyring.NewKeys(1)[0]))
	if err == nil {
		err = s.query(ctx, func() {}, func(rows pgx.Rows) error { return rows.Scan(&wrapped) },
			`SELECT wrapped FROM secrets WHERE purpose = $1`, purpose)
	}
	if err != nil {
		return nil, fmt.Errorf("secret for %s: %w", purpose, err)
	}
	key, err := s.root.UnwrapSecret(purpose, wrapped)
	if err != nil {
		return nil, err
	}
	s.secrets[purpose] = key
	return key, nil
}

// Keep returns the secret of a name, the one from make when there is none yet;
// it is durable then. Of nodes that make one at once, all get the same. It is
// sealed with a key of its own, as a person's data is: backups and epochs are
// the same to it.
func (s *Store) Keep(ctx context.Context, name string, make func() ([]byte, error)) ([]byte, error) {
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
	err = s.exec(ctx, `INSERT INTO kept (name, subject, sealed) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING`,
		name, [16]byte(k.Subject), k.Sealed)
	if err != nil {
		return nil, fmt.Errorf("keep %s: %w", name, err)
	}
	return s.Kept(ctx, name) // maybe another node's
}

// Kept returns the secret of a name; nil: there never was one. ErrDestroyed
// when it was destroyed.
func (s *Store) Kept(ctx context.Context, name string) ([]byte, error) {
	k, found, err := s.find(ctx, name)
	if err != nil || !found {
		return nil, err
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
	k, found, err := s.find(ctx, name)
	if err != nil || !found {
		return err
	}
	if _, err := s.Shred(ctx, k.Subject); err != nil {
		return err
	}
	if err := s.exec(ctx, `UPDATE kept SET sealed = '' WHERE name = $1`, name); err != nil {
		return fmt.Errorf("destroy %s: %w", name, err)
	}
	return s.Purge(ctx)
}

func (s *Store) find(ctx context.Context, name string) (k keyring.Kept, found bool, err error) {
	err = s.query(ctx, func() { found = false }, func(rows pgx.Rows) error {
		found = true
		return rows.Scan((*[16]byte)(&k.Subject), &k.Sealed)
	}, `SELECT subject, sealed FROM kept WHERE name = $1`, name)
	if err != nil {
		return k, false, fmt.Errorf("look for %s: %w", name, err)
	}
	return k, found, nil
}
