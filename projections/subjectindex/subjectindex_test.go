package subjectindex_test

import (
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/cleversender/cleversender/domain"
	"github.com/cleversender/cleversender/domain/delivery"
	"github.com/cleversender/cleversender/domain/event"
	"github.com/cleversender/cleversender/projections/projectiontest"
	"github.com/cleversender/cleversender/projections/subjectindex"
)

func about(e event.Recorded) []domain.ID {
	switch data := e.Data.(type) {
	case delivery.Intended:
		return data.Subjects
	case delivery.Accepted:
		return data.Subjects
	}
	if e.Meta.Subject.IsZero() {
		return nil
	}
	return []domain.ID{e.Meta.Subject}
}

// The index finds every event that concerns a person and no other, up to any position, erased or not.
func TestPositions(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		history := projectiontest.Random(rt)
		at := rapid.IntRange(0, len(history)).Draw(rt, "cut")
		tables, err := projectiontest.Fold(subjectindex.Projection, history[:at], history[at:])
		if err != nil {
			rt.Fatal(err)
		}
		want := map[domain.ID][]event.Position{}
		for _, e := range history {
			for _, person := range about(e) {
				want[person] = append(want[person], e.Position)
			}
		}
		for person, all := range want {
			for n, upTo := range append(all, 0) {
				expect := all[:min(n+1, len(all))]
				got, err := subjectindex.Positions(t.Context(), tables, person, upTo)
				if err != nil || !slices.Equal(got, expect) {
					rt.Fatalf("%v up to %d, want %v: %v", got, upTo, expect, err)
				}
			}
		}
	})
}
