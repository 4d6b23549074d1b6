package postgres_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/cleversender/cleversender/adapters/pgtest"
	"github.com/cleversender/cleversender/adapters/readmodel"
	"github.com/cleversender/cleversender/adapters/readmodel/memory"
	"github.com/cleversender/cleversender/adapters/readmodel/modeltest"
	"github.com/cleversender/cleversender/adapters/readmodel/postgres"
	"github.com/cleversender/cleversender/domain/event"
	"github.com/cleversender/cleversender/projections"
)

func TestMain(m *testing.M) { os.Exit(pgtest.Main(m)) }

func connect(t *testing.T) *postgres.Store {
	t.Helper()
	s, err := postgres.New(t.Context(), pgtest.Database(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func open(t *testing.T) readmodel.Store { return connect(t) }

// builds is a store that opens models to be built as long as they are empty.
type builds struct{ *postgres.Store }

func (b builds) Open(ctx context.Context, id string, tables []*projections.Table) (readmodel.Model, error) {
	m, err := b.Build(ctx, id, tables)
	if errors.Is(err, postgres.ErrNotEmpty) {
		return b.Store.Open(ctx, id, tables)
	}
	return m, err
}

// keeps are how many bytes a model that is built keeps back: none, a few batches, all.
var keeps = []int{0, 3000, 1 << 30}

// The store keeps every promise of a store.
func TestPromises(t *testing.T) {
	modeltest.Run(t, open)
	for _, keep := range keeps {
		t.Run(fmt.Sprint("built, keeping ", keep), func(t *testing.T) {
			modeltest.Run(t, func(t *testing.T) readmodel.Store {
				s := connect(t)
				s.Keep(keep)
				return builds{s}
			})
		})
	}
}

// Any history folds to the same rows, in any pages, here and in memory.
func TestProjections(t *testing.T) { modeltest.Projections(t, memory.New(), open(t)) }

// So it does when a model is built, however much it keeps back.
func TestBuilds(t *testing.T) {
	s := connect(t)
	modeltest.Builds(t, s, func(rt *rapid.T) { s.Keep(rapid.SampledFrom(keeps).Draw(rt, "keep")) })
}

// A build goes on after a delete, and knows the rows that were written with it.
func TestBuildGoesOnAfterADelete(t *testing.T) {
	put := func(r projections.Rows, name, value string) error {
		return r.Put(people, projections.Row{[]byte(name), []byte(value)})
	}
	folds := []func(projections.Rows) error{
		func(r projections.Rows) error { return put(r, "a", "1") },
		func(r projections.Rows) error { return errors.Join(r.Delete(people, []byte("a")), put(r, "b", "1")) },
		func(r projections.Rows) error {
			return errors.Join(put(r, "a", "2"), put(r, "b", "2"), put(r, "c", "2"))
		},
	}
	for _, keep := range keeps {
		s := connect(t)
		s.Keep(keep)
		m, err := s.Build(t.Context(), "m_v1", []*projections.Table{people})
		if err != nil {
			t.Fatal(err)
		}
		for i, fold := range folds {
			if err := m.Apply(t.Context(), readmodel.Batch{From: event.Position(i), Next: event.Position(i + 1), Fold: fold}); err != nil {
				t.Fatal(err)
			}
		}
		rows, err := m.Scan(t.Context(), people, nil, nil, 10)
		want := []projections.Row{{[]byte("a"), []byte("2")}, {[]byte("b"), []byte("2")}, {[]byte("c"), []byte("2")}}
		if diff := cmp.Diff(want, rows); diff != "" || err != nil {
			t.Errorf("keeping %d: %s, %v", keep, diff, err)
		}
		if err := m.Close(); err != nil {
			t.Error(err)
		}
	}
}
