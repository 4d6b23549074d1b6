package sqlite

import (
	"bytes"
	"context"
	"fmt"

	"github.com/cleversender/cleversender/adapters/keyring"
)

// MACKey is the installation's 32-byte secret for a purpose, made when first
// asked for; the same one ever after. The bytes are the caller's to keep.
func (s *Store) MACKey(ctx context.Context, purpose string) ([]byte, error) {
	key, err := s.secret(ctx, keyring.ForMAC(purpose))
	return bytes.Clone(key), err
}

func (s *Store) secret(_ context.Context, purpose string) ([]byte, error) {
	s.secretsMu.Lock()
	defer s.secretsMu.Unlock()
	if key, ok := s.secrets[purpose]; ok {
		return key, nil
	}
	fresh := s.root.WrapSecret(purpose, keyring.NewKeys(1)[0])
	var stored []byte
	err := s.writer.do(func(w *writer) error {
		if err := w.exec(`INSERT INTO secrets (purpose, wrapped) VALUES (?, ?) ON CONFLICT DO NOTHING`, purpose, fresh); err != nil {
			return err
		}
		return w.row([]any{purpose}, `SELECT wrapped FROM secrets WHERE purpose = ?`, &stored)
	})
	if err != nil {
		return nil, fmt.Errorf("secret for %s: %w", purpose, err)
	}
	key, err := s.root.UnwrapSecret(purpose, stored)
	if err != nil {
		return nil, err
	}
	s.secrets[purpose] = key
	return key, nil
}
