package eventlog

import (
	"crypto/cipher"
	"crypto/rand"
	"errors"

	"github.com/cleversender/cleversender/domain"
)

// AAD binds a sealed value to its place: it opens nowhere else.
func AAD(account domain.ID, stream string, id domain.ID, field string) []byte {
	b := make([]byte, 0, 34+len(stream)+len(field))
	b = append(append(b, account[:]...), id[:]...)
	return append(append(append(b, stream...), 0), field...)
}

// Seal is AES-256-GCM with a random nonce, which goes in front.
func Seal(aead cipher.AEAD, plain, aad []byte) []byte {
	out := make([]byte, aead.NonceSize(), aead.NonceSize()+len(plain)+aead.Overhead())
	_, _ = rand.Read(out) // never fails (crypto/rand)
	return aead.Seal(out, out, plain, aad)
}

// Unseal reverses Seal.
func Unseal(aead cipher.AEAD, sealed, aad []byte) ([]byte, error) {
	n := aead.NonceSize()
	if len(sealed) < n+aead.Overhead() {
		return nil, errors.New("sealed value is too short")
	}
	return aead.Open(nil, sealed[:n], sealed[n:], aad)
}

// opener opens with a key, or says by nil that there is none any more.
func opener(key cipher.AEAD, aad []byte) func([]byte) ([]byte, error) {
	if key == nil {
		return nil
	}
	return func(sealed []byte) ([]byte, error) { return Unseal(key, sealed, aad) }
}
