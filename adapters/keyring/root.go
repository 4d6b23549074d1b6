package keyring

import (
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"github.com/cleversender/cleversender/domain"
)

// Refusals around the root key. Nothing opens without it.
var (
	ErrRootKeyMissing = domain.Refuse("root_key_missing", "the root key is not where --root-key says, or in the data folder; nodes that share keys are given the same one")
	ErrRootKeyBad     = domain.Refuse("root_key_bad", "the root key is not 32 bytes in base64")
	ErrRootKeyWrong   = domain.Refuse("root_key_wrong", "the root key does not belong to this data")
	ErrRootKeyURI     = domain.Refuse("root_key_uri", "a root key is named by file:///path or env://NAME")
	ErrRootKeyExists  = domain.Refuse("root_key_exists", "there is a root key already; it is never overwritten, and used if --root-key names it")
)

// CreateRootKey makes the root key that uri names (file:// only), mode 0600,
// durable when it returns. It never touches one that exists. Open never makes one.
func CreateRootKey(uri string) error {
	path, ok := strings.CutPrefix(uri, "file://")
	if !ok || path == "" {
		return ErrRootKeyURI
	}
	key := make([]byte, keySize)
	_, _ = rand.Read(key) // never fails (crypto/rand)
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return ErrRootKeyExists
	}
	if err != nil {
		return fmt.Errorf("create root key: %w", err)
	}
	_, err = f.WriteString(base64.StdEncoding.EncodeToString(key) + "\n")
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return fmt.Errorf("create root key: %w", err)
	}
	return syncDir(path)
}

// Root is the root key.
type Root struct{ key sealer }

// OpenRoot reads the root key that uri names. It refuses with root_key_missing,
// root_key_bad or root_key_uri.
func OpenRoot(uri string) (Root, error) {
	key, err := readRootKey(uri)
	if err != nil {
		return Root{}, err
	}
	s, err := newSealer(key)
	return Root{s}, err
}

func readRootKey(uri string) ([]byte, error) {
	var text string
	if path, ok := strings.CutPrefix(uri, "file://"); ok && path != "" {
		raw, err := os.ReadFile(path)
		if errors.Is(err, fs.ErrNotExist) {
			return nil, ErrRootKeyMissing
		}
		if err != nil {
			return nil, fmt.Errorf("read root key: %w", err)
		}
		text = string(raw)
	} else if name, ok := strings.CutPrefix(uri, "env://"); ok && name != "" {
		if text = os.Getenv(name); text == "" {
			return nil, ErrRootKeyMissing
		}
	} else {
		return nil, ErrRootKeyURI
	}
	key, err := base64.StdEncoding.DecodeString(strings.TrimSpace(text))
	if err != nil || len(key) != keySize {
		return nil, ErrRootKeyBad
	}
	return key, nil
}
