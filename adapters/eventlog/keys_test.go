package eventlog_test

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"fmt"
	"sync"

	"github.com/cleversender/cleversender/domain/personal"
)

// keys is a keyring in memory.
type keys struct {
	mu     sync.Mutex
	byRef  map[personal.KeyRef]cipher.AEAD // nil: destroyed
	failed error
}

func newKeys() *keys { return &keys{byRef: map[personal.KeyRef]cipher.AEAD{}} }

func (k *keys) Ensure(_ context.Context, refs []personal.KeyRef) ([]cipher.AEAD, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	out := make([]cipher.AEAD, len(refs))
	for i, ref := range refs {
		if _, known := k.byRef[ref]; !known {
			k.byRef[ref] = newAEAD()
		}
		out[i] = k.byRef[ref]
	}
	return out, k.failed
}

func (k *keys) Lookup(_ context.Context, refs []personal.KeyRef) ([]cipher.AEAD, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	out := make([]cipher.AEAD, len(refs))
	for i, ref := range refs {
		aead, known := k.byRef[ref]
		if !known {
			return nil, fmt.Errorf("no key of class %d", ref.Class)
		}
		out[i] = aead
	}
	return out, k.failed
}

func (k *keys) shred(ref personal.KeyRef) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.byRef[ref] = nil
}

func newAEAD() cipher.AEAD {
	key := make([]byte, 32)
	_, _ = rand.Read(key)
	block, err := aes.NewCipher(key)
	if err != nil {
		panic(err)
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		panic(err)
	}
	return aead
}
