package keyring

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/cleversender/cleversender/domain/personal"
)

const (
	nonceSize  = 12
	sealedSize = nonceSize + keySize + 16

	// WrappedSize is the size of a wrapped key: epoch (4 bytes, big endian),
	// nonce (12), key and tag (48). One that was destroyed is all zeros.
	WrappedSize = 4 + sealedSize
)

// sealer is AES-256-GCM with the nonce in front.
type sealer struct{ cipher.AEAD }

func newSealer(key []byte) (sealer, error) {
	aead, err := NewAEAD(key)
	return sealer{aead}, err
}

// NewAEAD is what values are sealed with.
func NewAEAD(key []byte) (cipher.AEAD, error) {
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
	return s.AEAD.Open(nil, sealed[:nonceSize], sealed[nonceSize:], aad)
}

// place binds a wrapped key to whose and which it is, and to its epoch.
func place(ref personal.KeyRef, epoch uint32) []byte {
	aad := make([]byte, 0, 21)
	aad = append(append(aad, ref.Subject[:]...), byte(ref.Class))
	return binary.BigEndian.AppendUint32(aad, epoch)
}

// Wrap seals a key with the current KEK.
func (e *Epochs) Wrap(ref personal.KeyRef, key []byte) []byte {
	out := binary.BigEndian.AppendUint32(make([]byte, 0, WrappedSize), e.current)
	return e.keks[e.current].seal(out, key, place(ref, e.current))
}

// Rewrap moves a wrapped key into the current epoch; nil: it is there, or was destroyed.
func (e *Epochs) Rewrap(ref personal.KeyRef, wrapped []byte) ([]byte, error) {
	if epoch, err := EpochOf(wrapped); err != nil || epoch == e.current {
		return nil, err
	}
	key, err := e.unwrap(ref, wrapped)
	if err != nil || key == nil {
		return nil, err
	}
	return e.Wrap(ref, key), nil
}

// Open makes a wrapped key usable; nil: it was destroyed.
func (e *Epochs) Open(ref personal.KeyRef, wrapped []byte) (cipher.AEAD, error) {
	key, err := e.unwrap(ref, wrapped)
	if err != nil {
		return nil, fmt.Errorf("key of class %d of subject %s: %w", ref.Class, ref.Subject, err)
	}
	if key == nil {
		return nil, nil
	}
	return NewAEAD(key)
}

// unwrap reverses Wrap, with the KEK of whichever epoch; a destroyed key is nil.
func (e *Epochs) unwrap(ref personal.KeyRef, wrapped []byte) ([]byte, error) {
	epoch, err := EpochOf(wrapped)
	if err != nil || epoch == 0 {
		return nil, err
	}
	kek, ok := e.keks[epoch]
	if !ok {
		return nil, ErrEpochGone
	}
	return kek.unseal(wrapped[4:], place(ref, epoch))
}

// EpochOf is the epoch that a key is wrapped in; 0: the key was destroyed.
func EpochOf(wrapped []byte) (uint32, error) {
	if len(wrapped) != WrappedSize {
		return 0, errors.New("a wrapped key of the wrong size")
	}
	return binary.BigEndian.Uint32(wrapped), nil
}
