package modeltest

import (
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/cleversender/cleversender/adapters/readmodel"
	"github.com/cleversender/cleversender/adapters/readmodel/memory"
	"github.com/cleversender/cleversender/domain/event"
	"github.com/cleversender/cleversender/projections"
	"github.com/cleversender/cleversender/projections/catalog"
	"github.com/cleversender/cleversender/projections/projectiontest"
)

// Projections proves that every projection has the same rows, byte for byte,
// however its events come: all at once or in random pages, on any of the stores.
func Projections(t *testing.T, stores ...readmodel.Store) {
	var models [][]readmodel.Model // by projection and store
	for _, p := range catalog.All {
		var each []readmodel.Model
		for _, s := range stores {
			m, err := s.Open(t.Context(), p.ID(), p.Tables)
			ok(t, err)
			t.Cleanup(func() { _ = m.Close() })
			each = append(each, m)
		}
		models = append(models, each)
	}
	rapid.Check(t, func(rt *rapid.T) {
		history := projectiontest.Random(rt)
		for i, p := range catalog.All {
			want := digest(t, models[i][0], p, [][]event.Recorded{history})
			for k, m := range models[i] {
				pages := cut(rt, history)
				if got := digest(t, m, p, pages); got != want {
					rt.Fatalf("%s on store %d: other rows when folded in %d pages", p.ID(), k, len(pages))
				}
			}
		}
	})
}

// Builds proves that a model that is built has the same rows as one in memory;
// vary changes how it is built.
func Builds(t *testing.T, s interface {
	readmodel.Store
	readmodel.Builder
}, vary func(*rapid.T),
) {
	plain := memory.New()
	rapid.Check(t, func(rt *rapid.T) {
		vary(rt)
		history := projectiontest.Random(rt)
		p := rapid.SampledFrom(catalog.All).Draw(rt, "projection")
		want, err := plain.Open(t.Context(), p.ID(), p.Tables)
		ok(t, err)
		ok(t, s.Drop(t.Context(), p.ID()))
		got, err := s.Build(t.Context(), p.ID(), p.Tables)
		ok(t, err)
		foldPages(t, got, p, cut(rt, history))
		sum, _, err := readmodel.Digest(t.Context(), got, p.Tables)
		ok(t, err)
		if sum != digest(t, want, p, [][]event.Recorded{history}) {
			rt.Fatalf("%s: other rows when built", p.ID())
		}
		ok(t, got.Close())
	})
}

func cut(t *rapid.T, events []event.Recorded) (pages [][]event.Recorded) {
	for len(events) > 0 {
		n := min(len(events), rapid.IntRange(1, 9).Draw(t, "page"))
		pages, events = append(pages, events[:n]), events[n:]
	}
	return pages
}

// digest is of the rows that the pages make in an emptied model.
func digest(t *testing.T, m readmodel.Model, p projections.Projection, pages [][]event.Recorded) string {
	t.Helper()
	at, err := m.Position(t.Context())
	ok(t, err)
	ok(t, m.Apply(t.Context(), readmodel.Batch{From: at, Fold: func(r projections.Rows) error {
		for _, table := range p.Tables {
			if err := r.Delete(table); err != nil {
				return err
			}
		}
		return nil
	}}))
	foldPages(t, m, p, pages)
	sum, _, err := readmodel.Digest(t.Context(), m, p.Tables)
	ok(t, err)
	return sum
}

// foldPages folds pages from position 0 on.
func foldPages(t *testing.T, m readmodel.Model, p projections.Projection, pages [][]event.Recorded) {
	t.Helper()
	for i, page := range pages {
		ok(t, m.Apply(t.Context(), readmodel.Batch{From: event.Position(i), Next: event.Position(i + 1), Fold: func(r projections.Rows) error {
			return p.Fold(r, only(p, page))
		}}))
	}
}

// only is what the projection gets of a page.
func only(p projections.Projection, page []event.Recorded) (out []event.Recorded) {
	for _, e := range page {
		if p.Data != nil && !slices.Contains(p.Data, e.Type) {
			e.Data = nil
		}
		if p.Types == nil || slices.Contains(p.Types, e.Type) {
			out = append(out, e)
		}
	}
	return out
}
