package tracking

import (
	"crypto/hmac"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"sync"
)

// Signer mints tokens with one key and reads those of every key it knows. It
// may be used by many goroutines.
type Signer struct {
	keys    map[byte]*key
	current byte
	oldest  byte
}

// NewSigner takes 32-byte keys by id, and which of them to mint with. A key
// stays as long as a message signed with it may still be read.
func NewSigner(keys map[byte][]byte, current byte) (*Signer, error) {
	s := &Signer{keys: make(map[byte]*key, len(keys)), current: current, oldest: current}
	for id, secret := range keys {
		if len(secret) != 32 {
			return nil, fmt.Errorf("tracking key %d is %d bytes long, not 32", id, len(secret))
		}
		s.keys[id] = newKey(secret)
		s.oldest = min(s.oldest, id)
	}
	if s.keys[current] == nil {
		return nil, errors.New("tracking: the current key is not among the keys")
	}
	return s, nil
}

// key is one secret, with HMAC states ready to be used again.
type key struct{ states sync.Pool }

// state holds what goes into its MAC and what comes out, so that callers' bytes
// stay off the heap.
type state struct {
	mac       hash.Hash
	data, sum []byte
}

func newKey(secret []byte) *key {
	secret = append([]byte(nil), secret...)
	return &key{sync.Pool{New: func() any { return &state{mac: hmac.New(sha256.New, secret)} }}}
}

// appendMAC appends HMAC-SHA-256 of data to dst.
func (k *key) appendMAC(dst, data []byte) []byte {
	s := k.states.Get().(*state)
	s.data = append(s.data[:0], data...)
	s.mac.Reset()
	_, _ = s.mac.Write(s.data) // never fails (hash.Hash)
	s.sum = s.mac.Sum(s.sum[:0])
	dst = append(dst, s.sum...)
	k.states.Put(s)
	return dst
}
