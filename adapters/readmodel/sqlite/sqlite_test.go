package sqlite_test

import (
	"testing"

	"github.com/cleversender/cleversender/adapters/readmodel"
	"github.com/cleversender/cleversender/adapters/readmodel/memory"
	"github.com/cleversender/cleversender/adapters/readmodel/modeltest"
	"github.com/cleversender/cleversender/adapters/readmodel/sqlite"
)

func open(t *testing.T) readmodel.Store {
	t.Helper()
	s, err := sqlite.New(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// The store keeps every promise of a store.
func TestPromises(t *testing.T) { modeltest.Run(t, open) }

// Any history folds to the same rows, in any pages, here and in memory.
func TestProjections(t *testing.T) { modeltest.Projections(t, memory.New(), open(t)) }
