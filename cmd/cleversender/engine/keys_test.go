package engine_test

import (
	"encoding/base64"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/cleversender/cleversender/adapters/pgtest"
	"github.com/cleversender/cleversender/cmd/cleversender/engine"
	"github.com/cleversender/cleversender/domain"
)

func TestMain(m *testing.M) { os.Exit(pgtest.Main(m)) }

// Two nodes with folders of their own have one keyring on PostgreSQL: who
// reserves an address on one is found by the other.
func TestNodesShareTheirKeys(t *testing.T) {
	t.Setenv("ENGINE_TEST_ROOT", base64.StdEncoding.EncodeToString(make([]byte, 32)))
	keys, account := pgtest.Database(t), domain.ID{1}
	var people [2]domain.ID
	for i := range people {
		o := engine.Options{Dir: filepath.Join(t.TempDir(), "data"), RootKey: "env://ENGINE_TEST_ROOT", Stores: engine.Stores{Keys: keys}}
		if _, _, err := engine.Init(t.Context(), o, "Acme"); err != nil {
			t.Fatal(err)
		}
		e, err := engine.Open(t.Context(), o)
		if err != nil {
			t.Fatal(err)
		}
		defer func() {
			if err := e.Close(t.Context()); err != nil {
				t.Error(err)
			}
		}()
		found, err := e.Keys.Reserve(t.Context(), account, []string{"ann@example.com"})
		if err != nil {
			t.Fatal(err)
		}
		people[i] = found[0].Person
		if _, err := os.Stat(filepath.Join(o.Dir, "keys.db")); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("keys in the folder: %v", err)
		}
	}
	if people[0] != people[1] {
		t.Error("two people")
	}
}
