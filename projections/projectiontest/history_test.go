package projectiontest_test

import (
	"maps"
	"slices"
	"testing"

	"pgregory.net/rapid"

	events "github.com/cleversender/cleversender/domain/catalog"
	"github.com/cleversender/cleversender/projections/catalog"
	"github.com/cleversender/cleversender/projections/projectiontest"
)

// Random histories hold every event that a projection folds: what is never
// drawn is folded in no property.
func TestNoEventIsLeftOut(t *testing.T) {
	drawn := map[string]bool{}
	histories := rapid.Custom(projectiontest.Random)
	for seed := range 1000 {
		for _, e := range histories.Example(seed) {
			drawn[e.Type] = true
		}
	}
	for _, p := range catalog.All {
		types := p.Types
		if types == nil { // it folds all
			types = slices.Sorted(maps.Keys(events.All.Types()))
		}
		for _, name := range types {
			if !drawn[name] {
				t.Errorf("%s folds %s, which Random never draws: add it to history.go or campaigns.go", p.Name, name)
			}
		}
	}
}
