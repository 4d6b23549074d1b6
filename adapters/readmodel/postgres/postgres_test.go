package postgres_test

import (
	"os"
	"testing"

	"github.com/cleversender/cleversender/adapters/pgtest"
	"github.com/cleversender/cleversender/adapters/readmodel"
	"github.com/cleversender/cleversender/adapters/readmodel/memory"
	"github.com/cleversender/cleversender/adapters/readmodel/modeltest"
	"github.com/cleversender/cleversender/adapters/readmodel/postgres"
)

func TestMain(m *testing.M) { os.Exit(pgtest.Main(m)) }

func open(t *testing.T) readmodel.Store {
	t.Helper()
	s, err := postgres.New(t.Context(), pgtest.Database(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// The store keeps every promise of a store.
func TestPromises(t *testing.T) { modeltest.Run(t, open) }

// Any history folds to the same rows, in any pages, here and in memory.
func TestProjections(t *testing.T) { modeltest.Projections(t, memory.New(), open(t)) }
