package keyring

import (
	"crypto/cipher"
	"fmt"

	"github.com/cleversender/cleversender/domain"
)

// What the installation's own secrets are for. They are stored.
const (
	ForDirectory   = "index/directory"
	ForSuppression = "index/suppression"
)

// ForMAC is the purpose of a secret that MACKey gives out. It is stored.
func ForMAC(purpose string) string { return "mac/" + purpose }

// WrapSecret seals the installation's secret for a purpose.
func (r Root) WrapSecret(purpose string, secret []byte) []byte {
	return r.key.seal(nil, secret, []byte("secret/"+purpose))
}

// UnwrapSecret reverses WrapSecret. It refuses with ErrRootKeyWrong.
func (r Root) UnwrapSecret(purpose string, wrapped []byte) ([]byte, error) {
	secret, err := r.key.unseal(wrapped, []byte("secret/"+purpose))
	if err != nil {
		return nil, ErrRootKeyWrong
	}
	return secret, nil
}

// Kept is an account's secret at rest, sealed with a key of its own.
type Kept struct {
	Subject domain.ID // whom its key is kept for, as if it were a person
	Sealed  []byte
}

// Keep seals the secret of a name with the key of subject.
func Keep(subject domain.ID, key cipher.AEAD, name string, secret []byte) Kept {
	k := Kept{Subject: subject}
	k.Sealed = sealer{key}.seal(nil, secret, k.place(name))
	return k
}

// place binds a secret to its name.
func (k Kept) place(name string) []byte { return append(k.Subject[:], "kept/"+name...) }

// Open gives the secret back; ErrDestroyed when its key is nil.
func (k Kept) Open(key cipher.AEAD, name string) ([]byte, error) {
	if key == nil {
		return nil, ErrDestroyed
	}
	secret, err := sealer{key}.unseal(k.Sealed, k.place(name))
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", name, err)
	}
	return secret, nil
}
