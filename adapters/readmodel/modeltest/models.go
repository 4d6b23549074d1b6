package modeltest

import (
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/cleversender/cleversender/adapters/readmodel"
	"github.com/cleversender/cleversender/domain/event"
	"github.com/cleversender/cleversender/projections"
)

func reopened(t *testing.T, s readmodel.Store) {
	m := model(t, s)
	poison := readmodel.Poison{Position: 6, Event: "id", Type: "sends.accepted", Version: 1}
	ok(t, m.Apply(t.Context(), readmodel.Batch{Next: 7, Poison: []readmodel.Poison{poison}, Fold: func(r projections.Rows) error {
		return errors.Join(r.Put(keys, projections.Row{int64(1)}), r.Put(things, thing("a", 1, "x", 1)))
	}}))
	ok(t, m.Close())
	m = model(t, s)
	at, err := m.Position(t.Context())
	ok(t, err)
	equal(t, at, event.Position(7))
	equal(t, all(t, m), []projections.Row{thing("a", 1, "x", 1)})
	row, err := m.Get(t.Context(), keys, int64(1))
	ok(t, err)
	equal(t, row, projections.Row{int64(1)})
	got, err := m.Poison(t.Context(), 10)
	ok(t, err)
	equal(t, got, []readmodel.Poison{poison})
}

func shapes(t *testing.T, s readmodel.Store) {
	ok(t, model(t, s).Close())
	other := *things
	other.Values = append(slices.Clone(things.Values), projections.Column{Name: "more", Kind: projections.Int})
	if _, err := s.Open(t.Context(), "m_v1", []*projections.Table{&other, keys}); !errors.Is(err, readmodel.ErrShape) {
		t.Fatalf("got %v", err)
	}
	same := *things
	m, err := s.Open(t.Context(), "m_v1", []*projections.Table{&same, keys})
	ok(t, err)
	ok(t, m.Close())
}

func replaced(t *testing.T, s readmodel.Store) {
	for name, count := range map[string]int64{"m_v1": 1, "other": 2} {
		m, err := s.Open(t.Context(), name, tables)
		ok(t, err)
		put(t, m, thing("a", 1, "x", count))
		ok(t, m.Close())
	}
	ids, err := s.IDs(t.Context())
	ok(t, err)
	equal(t, ids, []string{"m_v1", "other"})
	ok(t, s.Replace(t.Context(), "other", "m_v1"))
	ids, err = s.IDs(t.Context())
	ok(t, err)
	equal(t, ids, []string{"m_v1"})
	m := model(t, s)
	equal(t, all(t, m), []projections.Row{thing("a", 1, "x", 2)})
	ok(t, m.Close())
	ok(t, s.Drop(t.Context(), "m_v1"))
	ok(t, s.Drop(t.Context(), "never"))
	equal(t, all(t, model(t, s)), nil)
}

func snapshots(t *testing.T, s readmodel.Store) {
	m := model(t, s)
	put(t, m, thing("a", 1, "x", 1))
	snapshot, err := m.Snapshot(t.Context())
	ok(t, err)
	put(t, m, thing("a", 1, "x", 2), thing("a", 2, "x", 2))
	equal(t, all(t, snapshot), []projections.Row{thing("a", 1, "x", 1)})
	at, err := snapshot.Position(t.Context())
	ok(t, err)
	equal(t, at, event.Position(1))
	equal(t, all(t, m), []projections.Row{thing("a", 1, "x", 2), thing("a", 2, "x", 2)})
	ok(t, snapshot.Close())
}

func badRows(t *testing.T, s readmodel.Store) {
	m := model(t, s)
	for _, bad := range []projections.Row{
		nil, {int64(1)}, {[]byte("a"), int64(1), "x", int64(1), "", ""}, {[]byte("a"), 1, "x", int64(1), "", []byte{}},
	} {
		if err := m.Apply(t.Context(), readmodel.Batch{Next: 1, Fold: func(r projections.Rows) error { return r.Put(things, bad) }}); err == nil {
			t.Fatalf("%#v was taken", bad)
		}
	}
	if _, err := m.Get(t.Context(), things, "a", int64(1), "x"); err == nil {
		t.Fatal("a key of another kind was looked for")
	}
}

func purged(t *testing.T, s readmodel.Store) {
	m := model(t, s)
	put(t, m, thing("a", 1, "x", 1), thing("b", 1, "x", 1))
	equal(t, len(all(t, m)), 2)
	apply(t, m, func(r projections.Rows) error { return r.Delete(things, []byte("a")) })
	ok(t, m.Purge(t.Context()))
	equal(t, all(t, m), []projections.Row{thing("b", 1, "x", 1)})
}

func random(t *testing.T, s readmodel.Store) {
	m := model(t, s)
	rapid.Check(t, func(rt *rapid.T) {
		apply(t, m, func(r projections.Rows) error { return r.Delete(things) })
		want := map[string]projections.Row{}
		for range rapid.IntRange(1, 4).Draw(rt, "batches") {
			steps := drawSteps(rt)
			before := want
			apply(t, m, func(r projections.Rows) error {
				want = maps.Clone(before)
				return play(steps, r, want)
			})
		}
		var rows []projections.Row
		for _, k := range slices.Sorted(maps.Keys(want)) {
			rows = append(rows, want[k])
		}
		equal(t, all(t, m), rows)
	})
}

// step puts, reads (deletes 0) or deletes by so many columns of the key.
type step struct {
	row     projections.Row
	put     bool
	deletes int
}

func drawSteps(t *rapid.T) []step {
	steps := make([]step, rapid.IntRange(0, 80).Draw(t, "steps"))
	for i := range steps {
		row := thing(rapid.SampledFrom([]string{"", "a", "a\x00", "ab"}).Draw(t, "group"), int64(rapid.IntRange(-2, 2).Draw(t, "number")),
			rapid.SampledFrom([]string{"", "x", "\xc3\xbf"}).Draw(t, "name"), int64(rapid.IntRange(0, 9).Draw(t, "count")))
		n := rapid.IntRange(-3, 3).Draw(t, "step")
		steps[i] = step{row, n < 0, max(n, 0)}
	}
	return steps
}

// play does the same to rows and to want. What is read decides over what is written.
func play(steps []step, r projections.Rows, want map[string]projections.Row) error {
	for _, s := range steps {
		key := s.row[:len(things.Key)]
		k := string(readmodel.AppendKey(nil, key...))
		switch {
		case s.put:
			if err := r.Put(things, s.row); err != nil {
				return err
			}
			want[k] = s.row
		case s.deletes == 0:
			got, err := r.Get(things, key...)
			if err != nil {
				return err
			}
			if err := r.Put(things, counted(s.row, got)); err != nil {
				return err
			}
			want[k] = counted(s.row, want[k])
		default:
			if err := r.Delete(things, key[:s.deletes]...); err != nil {
				return err
			}
			p := string(readmodel.AppendKey(nil, key[:s.deletes]...))
			maps.DeleteFunc(want, func(k string, _ projections.Row) bool { return strings.HasPrefix(k, p) })
		}
	}
	return nil
}

// counted is row with one more than before counted.
func counted(row, before projections.Row) projections.Row {
	row = slices.Clone(row)
	row[3] = int64(-1)
	if before != nil {
		row[3] = before[3].(int64) + 1
	}
	return row
}
