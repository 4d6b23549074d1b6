package engine

import (
	"bytes"
	"context"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/cleversender/cleversender/domain"
	"github.com/cleversender/cleversender/domain/signing"
)

// A private key is in no file of the data folder: not as a whole, not its primes,
// nor the seed of an Ed25519 key; and it can still be used after a restart.
func TestPrivateKeysAreSealed(t *testing.T) {
	ctx, o := context.Background(), Options{Dir: filepath.Join(t.TempDir(), "data")}
	if _, _, err := Init(ctx, o, "Harbour Books"); err != nil {
		t.Fatal(err)
	}
	secrets := map[string][]byte{}
	for _, a := range signing.Algorithms {
		e, err := open(ctx, o)
		if err != nil {
			t.Fatal(err)
		}
		if _, _, err := (privateKeys{e.Keys}).Make(ctx, domain.ID{1}, "books.example", string(a), a, ""); err != nil {
			t.Fatal(err)
		}
		if err := e.close(); err != nil {
			t.Fatal(err)
		}
		if e, err = open(ctx, o); err != nil {
			t.Fatal(err)
		}
		der, err := privateKeys{e.Keys}.private(ctx, domain.ID{1}, "books.example", string(a))
		if err != nil {
			t.Fatal(err)
		}
		secrets[string(a)+" key"] = der[len(der)-32:] // the seed, or the end of the last number
		text := pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})
		secrets[string(a)+" PEM"] = bytes.SplitN(text, []byte("\n"), 3)[1]
		key, err := x509.ParsePKCS8PrivateKey(der)
		if err != nil {
			t.Fatal(err)
		}
		if key, ok := key.(*rsa.PrivateKey); ok {
			secrets["prime"] = key.Primes[0].Bytes()[:32]
			secrets["exponent"] = key.D.Bytes()[:32]
		}
		absent(t, o.Dir, secrets) // as the files are while the keyring is open
		if err := e.close(); err != nil {
			t.Fatal(err)
		}
	}
	absent(t, o.Dir, secrets)
	found := 0
	everyFile(t, o.Dir, func(_ string, raw []byte) { found += bytes.Count(raw, []byte("dkim/")) })
	if found == 0 {
		t.Error("the search does not find what is there")
	}
}

func absent(t *testing.T, dir string, secrets map[string][]byte) {
	t.Helper()
	everyFile(t, dir, func(path string, raw []byte) {
		for name, secret := range secrets {
			if bytes.Contains(raw, secret) {
				t.Errorf("%s is in %s", name, filepath.Base(path))
			}
		}
	})
}

func everyFile(t *testing.T, dir string, see func(path string, raw []byte)) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		raw, err := os.ReadFile(path)
		see(path, raw)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}
