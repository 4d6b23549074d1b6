package memory_test

import (
	"testing"

	"github.com/cleversender/cleversender/adapters/readmodel"
	"github.com/cleversender/cleversender/adapters/readmodel/memory"
	"github.com/cleversender/cleversender/adapters/readmodel/modeltest"
)

// The store keeps every promise of a store.
func TestPromises(t *testing.T) {
	modeltest.Run(t, func(*testing.T) readmodel.Store { return memory.New() })
}
