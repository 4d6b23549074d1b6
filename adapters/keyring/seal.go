package keyring

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/binary"
	"errors"

	"github.com/cleversender/cleversender/domain/personal"
)

const (
	keySize     = 32
	nonceSize   = 12
	sealedSize  = nonceSize + keySize + 16
	wrappedSize = 4 + sealedSize
)

// sealer is AES-256-GCM with the nonce in front.
type sealer struct{ cipher.AEAD }

func newSealer(key []byte) (sealer, error) {
	aead, err := newAEAD(key)
	return sealer{aead}, err
}

func newAEAD(key []byte) (cipher.AEAD, error) {
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCM(block)
}

func (s sealer) seal(dst, plain, aad []byte) []byte {
	n := len(dst)
	dst = append(dst, make([]byte, nonceSize)...)
	_, _ = rand.Read(dst[n:]) // never fails (crypto/rand)
	return s.Seal(dst, dst[n:n+nonceSize], plain, aad)
}

func (s sealer) unseal(sealed, aad []byte) ([]byte, error) {
	if len(sealed) < nonceSize {
		return nil, errors.New("too short to be sealed")
	}
	return s.Open(nil, sealed[:nonceSize], sealed[nonceSize:], aad)
}

// place binds a wrapped key to whose and which it is, and to its epoch.
func place(ref personal.KeyRef, epoch uint32) []byte {
	aad := make([]byte, 0, 21)
	aad = append(append(aad, ref.Subject[:]...), byte(ref.Class))
	return binary.BigEndian.AppendUint32(aad, epoch)
}

// wrap seals a key with the current KEK.
func (e *epochs) wrap(ref personal.KeyRef, key []byte) []byte {
	out := binary.BigEndian.AppendUint32(make([]byte, 0, wrappedSize), e.current)
	return e.keks[e.current].seal(out, key, place(ref, e.current))
}

// unwrap reverses wrap, with the KEK of whichever epoch; a destroyed key, all
// zeros, is nil.
func (e *epochs) unwrap(ref personal.KeyRef, wrapped []byte) ([]byte, error) {
	epoch, err := epochOf(wrapped)
	if err != nil || epoch == 0 {
		return nil, err
	}
	kek, ok := e.keks[epoch]
	if !ok {
		return nil, errEpochGone
	}
	return kek.unseal(wrapped[4:], place(ref, epoch))
}

// epochOf is the epoch that a key is wrapped in; 0: the key was destroyed.
func epochOf(wrapped []byte) (uint32, error) {
	if len(wrapped) != wrappedSize {
		return 0, errors.New("a wrapped key of the wrong size")
	}
	return binary.BigEndian.Uint32(wrapped), nil
}
