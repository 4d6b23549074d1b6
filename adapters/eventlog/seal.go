package eventlog

import (
	"crypto/cipher"
	"crypto/rand"
	"errors"

	"github.com/cleversender/cleversender/domain"
	"github.com/cleversender/cleversender/domain/personal"
)

// AAD binds a sealed value to its place: it opens nowhere else.
func AAD(account domain.ID, stream string, id domain.ID, field string) []byte {
	return appendAAD(make([]byte, 0, 33+len(stream)+len(field)), account, stream, id, field)
}

func appendAAD(b []byte, account domain.ID, stream string, id domain.ID, field string) []byte {
	b = append(append(b, account[:]...), id[:]...)
	return append(append(append(b, stream...), 0), field...)
}

// Seal is AES-256-GCM with a random nonce, which goes in front.
func Seal(aead cipher.AEAD, plain, aad []byte) []byte {
	out := make([]byte, aead.NonceSize(), aead.NonceSize()+len(plain)+aead.Overhead())
	_, _ = rand.Read(out) // never fails (crypto/rand)
	return aead.Seal(out, out, plain, aad)
}

// opener reverses Seal for one value after the other, in the same buffers.
type opener struct {
	key      cipher.AEAD
	aad, buf []byte
	unseal   func(sealed string) ([]byte, error)
}

func newOpener() *opener {
	o := &opener{}
	o.unseal = func(sealed string) ([]byte, error) {
		n := o.key.NonceSize()
		if len(sealed) < n+o.key.Overhead() {
			return nil, errors.New("sealed value is too short")
		}
		o.buf = append(o.buf[:0], sealed...)
		return o.key.Open(o.buf[n:n], o.buf[:n], o.buf[n:], o.aad)
	}
	return o
}

// open makes a value plain, or erased when its key is gone.
func (o *opener) open(v personal.Value, key cipher.AEAD, account domain.ID, stream string, id domain.ID, field string) error {
	if key == nil {
		return v.Open(nil)
	}
	o.key, o.aad = key, appendAAD(o.aad[:0], account, stream, id, field)
	return v.Open(o.unseal)
}

// close clears what was opened last.
func (o *opener) close() { clear(o.buf[:cap(o.buf)]) }
