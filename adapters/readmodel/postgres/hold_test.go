package postgres_test

import (
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/cleversender/cleversender/adapters/pgtest"
	"github.com/cleversender/cleversender/adapters/readmodel"
	"github.com/cleversender/cleversender/adapters/readmodel/postgres"
	"github.com/cleversender/cleversender/domain/event"
	"github.com/cleversender/cleversender/projections"
)

// nodes are two stores on one database.
func nodes(t *testing.T) (a, b *postgres.Store) {
	t.Helper()
	url := pgtest.Database(t)
	stores := [2]*postgres.Store{}
	for i := range stores {
		var err error
		if stores[i], err = postgres.New(t.Context(), url); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = stores[i].Close() })
	}
	return stores[0], stores[1]
}

func mine(t *testing.T, s *postgres.Store, claim readmodel.Claim) bool {
	t.Helper()
	marks, err := s.Hold(t.Context(), []string{"m_v1", "never"}, claim)
	if err != nil || len(marks) != 1 {
		t.Fatal(marks, err)
	}
	return marks["m_v1"].Mine
}

// A model that one node holds is written, dropped and inherited by no other, until that node leaves, ends, or has it taken away.
func TestHold(t *testing.T) {
	a, b := nodes(t)
	var models []readmodel.Model
	for _, s := range []*postgres.Store{a, b} {
		m, err := s.Open(t.Context(), "m_v1", []*projections.Table{people})
		if err != nil {
			t.Fatal(err)
		}
		models = append(models, m)
	}
	for i, step := range []struct {
		by    *postgres.Store
		claim readmodel.Claim
		mine  bool
	}{
		{a, readmodel.Look, false},
		{a, readmodel.Inherit, true},
		{b, readmodel.Inherit, false},
		{a, readmodel.Inherit, true},
		{b, readmodel.Take, true},
		{a, readmodel.Look, false},
		{a, readmodel.Inherit, false},
		{a, readmodel.Leave, false},
		{b, readmodel.Look, true},
		{b, readmodel.Leave, false},
		{a, readmodel.Inherit, true},
	} {
		if got := mine(t, step.by, step.claim); got != step.mine {
			t.Fatalf("step %d: %v", i, got)
		}
	}
	if err := models[1].Apply(t.Context(), readmodel.Batch{Next: 1}); !errors.Is(err, readmodel.ErrMoved) {
		t.Errorf("another node's batch: %v", err)
	}
	if err := models[0].Apply(t.Context(), readmodel.Batch{Next: 1}); err != nil {
		t.Error(err)
	}
	if err := b.Drop(t.Context(), "m_v1"); !errors.Is(err, readmodel.ErrHeld) {
		t.Errorf("another node's drop: %v", err)
	}
	if err := a.Close(); err != nil {
		t.Fatal(err)
	}
	if !mine(t, b, readmodel.Inherit) {
		t.Error("what a node has left is not inherited")
	}
}

// A model is not replaced by one that has come less far; one that takes its place has another edition.
func TestReplaceGoesForward(t *testing.T) {
	a, _ := nodes(t)
	for id, at := range map[string]int{"m_v1": 2, "other": 1} {
		m, err := a.Open(t.Context(), id, []*projections.Table{people})
		if err != nil {
			t.Fatal(err)
		}
		for i := range at {
			if err := m.Apply(t.Context(), readmodel.Batch{From: event.Position(i), Next: event.Position(i + 1), Fold: func(projections.Rows) error { return nil }}); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := a.Replace(t.Context(), "other", "m_v1"); !errors.Is(err, readmodel.ErrMoved) {
		t.Fatalf("a model went back: %v", err)
	}
	if err := a.Replace(t.Context(), "m_v1", "other"); err != nil {
		t.Fatal(err)
	}
	marks, err := a.Hold(t.Context(), []string{"other"}, readmodel.Look)
	if err != nil {
		t.Fatal(err)
	}
	if m := marks["other"]; m.Position != 2 || m.Edition <= 2 {
		t.Errorf("the replaced model is at %d, edition %d", m.Position, m.Edition)
	}
}

// Of batches that start from one position at once, one counts.
func TestApplyRace(t *testing.T) {
	a, b := nodes(t)
	var counted atomic.Int64
	var racing sync.WaitGroup
	for _, s := range []*postgres.Store{a, b} {
		m, err := s.Open(t.Context(), "m_v1", []*projections.Table{people})
		if err != nil {
			t.Fatal(err)
		}
		racing.Go(func() {
			for range 50 {
				at, err := m.Position(t.Context())
				if err != nil {
					t.Error(err)
					return
				}
				err = m.Apply(t.Context(), readmodel.Batch{From: at, Next: at + 1, Fold: func(r projections.Rows) error {
					row, err := r.Get(people, []byte("n"))
					if err != nil {
						return err
					}
					var before []byte
					if row != nil {
						before = row.Bytes(1)
					}
					return r.Put(people, projections.Row{[]byte("n"), append(slices.Clone(before), 'x')})
				}})
				switch {
				case err == nil:
					counted.Add(1)
				case !errors.Is(err, readmodel.ErrMoved):
					t.Error(err)
				}
			}
		})
	}
	racing.Wait()
	m, err := a.Open(t.Context(), "m_v1", []*projections.Table{people})
	if err != nil {
		t.Fatal(err)
	}
	row, err := m.Get(t.Context(), people, []byte("n"))
	if err != nil || int64(len(row.Bytes(1))) != counted.Load() {
		t.Errorf("%d batches count, %d did, %v", len(row.Bytes(1)), counted.Load(), err)
	}
}
