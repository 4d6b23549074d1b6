package engine_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/cleversender/cleversender/adapters/keyring"
	"github.com/cleversender/cleversender/adapters/pgtest"
	"github.com/cleversender/cleversender/cmd/cleversender/engine"
)

// A further node needs the first one's root key, and no init: who tries is told
// so, and nothing is made that would be in the way.
func TestFurtherNodes(t *testing.T) {
	database := pgtest.Database(t)
	node := func() engine.Options {
		return engine.Options{
			Dir: filepath.Join(t.TempDir(), "data"), Idle: true,
			Stores: engine.Stores{Log: database, ReadModels: database, Keys: database},
		}
	}
	first, second := node(), node()
	if _, err := engine.Open(t.Context(), second); !errors.Is(err, keyring.ErrRootKeyMissing) {
		t.Errorf("before init: %v", err)
	}
	if err := os.MkdirAll(first.Dir, 0o700); err != nil {
		t.Fatal(err)
	}
	root := "file://" + first.Dir + "/root.key"
	if err := keyring.CreateRootKey(root); err != nil { // as an operator would
		t.Fatal(err)
	}
	if _, _, err := engine.Init(t.Context(), first, "Acme"); !errors.Is(err, keyring.ErrRootKeyExists) {
		t.Errorf("beside a root key that is not named: %v", err)
	}
	first.RootKey = root
	if _, _, err := engine.Init(t.Context(), first, "Acme"); err != nil {
		t.Fatalf("with a root key: %v", err)
	}
	if _, _, err := engine.Init(t.Context(), second, "Acme"); !errors.Is(err, engine.ErrLogExists) {
		t.Errorf("init of a further node: %v", err)
	}
	if _, err := engine.Open(t.Context(), second); !errors.Is(err, keyring.ErrRootKeyMissing) {
		t.Errorf("without the root key: %v", err)
	}
	second.RootKey = root
	for _, o := range []engine.Options{first, second} {
		e, err := engine.Open(t.Context(), o)
		if err != nil {
			t.Fatal(err)
		}
		defer func() {
			if err := e.Close(t.Context()); err != nil {
				t.Error(err)
			}
		}()
	}
}
