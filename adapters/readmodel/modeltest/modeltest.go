// Package modeltest is what every store of read models promises.
package modeltest

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/cleversender/cleversender/adapters/readmodel"
	"github.com/cleversender/cleversender/domain/event"
	"github.com/cleversender/cleversender/projections"
)

// things has a column of every kind in its key.
var things = &projections.Table{
	Name: "things",
	Key: []projections.Column{
		{Name: "group", Kind: projections.Bytes}, {Name: "number", Kind: projections.Int}, {Name: "name", Kind: projections.Text},
	},
	Values: []projections.Column{
		{Name: "count", Kind: projections.Int}, {Name: "text", Kind: projections.Text}, {Name: "blob", Kind: projections.Bytes},
	},
}

// keys has nothing but its key.
var keys = &projections.Table{Name: "keys", Key: []projections.Column{{Name: "key", Kind: projections.Int}}}

var tables = []*projections.Table{things, keys}

func thing(group string, number int64, name string, count int64) projections.Row {
	return projections.Row{[]byte(group), number, name, count, "", []byte{}}
}

// Run proves the promises on a store; open makes an empty one.
func Run(t *testing.T, open func(t *testing.T) readmodel.Store) {
	for _, c := range []struct {
		promise string
		test    func(*testing.T, readmodel.Store)
	}{
		{"rows come back as they were given, in key order", order},
		{"a scan takes a prefix, a place to go on after, and a limit", scans},
		{"many keys are looked up as each would be alone", lookUps},
		{"a batch sees its own writes and deletes", ownWrites},
		{"a fold that fails or panics changes nothing", undone},
		{"a batch from elsewhere is refused", moved},
		{"a model opened again is as it was, poison included", reopened},
		{"a model of other tables is refused", shapes},
		{"one model takes the name of another", replaced},
		{"a snapshot stays as it was", snapshots},
		{"a row of other columns is refused", badRows},
		{"after a purge rows are as they were", purged},
		{"a random batch does what it does to a map", random},
	} {
		t.Run(c.promise, func(t *testing.T) { c.test(t, open(t)) })
	}
}

func model(t *testing.T, s readmodel.Store) readmodel.Model {
	t.Helper()
	m, err := s.Open(t.Context(), "m_v1", tables)
	ok(t, err)
	t.Cleanup(func() { _ = m.Close() })
	return m
}

func ok(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func equal[T any](t *testing.T, got, want T) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Fatalf("-want +got\n%s", diff)
	}
}

// apply folds at the model's position, and moves it by one.
func apply(t *testing.T, m readmodel.Model, fold func(projections.Rows) error) {
	t.Helper()
	at, err := m.Position(t.Context())
	ok(t, err)
	ok(t, m.Apply(t.Context(), readmodel.Batch{From: at, Next: at + 1, Fold: fold}))
}

func put(t *testing.T, m readmodel.Model, rows ...projections.Row) {
	t.Helper()
	apply(t, m, func(r projections.Rows) error {
		for _, row := range rows {
			if err := r.Put(things, row); err != nil {
				return err
			}
		}
		return nil
	})
}

func all(t *testing.T, r projections.Reader, prefix ...any) []projections.Row {
	t.Helper()
	rows, err := r.Scan(t.Context(), things, prefix, nil, 1000)
	ok(t, err)
	return rows
}

func lookUps(t *testing.T, s readmodel.Store) {
	m := model(t, s)
	var asked [][]any
	var want []projections.Row
	for i := range int64(100) {
		row := thing("a", i, "x", i)
		asked, want = append(asked, row[:3], []any{[]byte("a"), -1 - i, "x"}), append(want, row, nil)
		put(t, m, row)
	}
	for _, n := range []int{0, 1, 2, 63, 64, 65, 200} {
		got, err := m.GetMany(t.Context(), things, asked[:n])
		ok(t, err)
		equal(t, len(got), n)
		for i := range got {
			equal(t, got[i], want[i])
		}
	}
	if _, err := m.GetMany(t.Context(), things, [][]any{{[]byte("a"), int64(1)}}); err == nil {
		t.Fatal("half a key was looked for")
	}
}

func order(t *testing.T, s readmodel.Store) {
	m := model(t, s)
	want := []projections.Row{
		thing("", -1<<63, "", 1),
		thing("", -1, "b", 1),
		thing("", 0, "", 1),
		thing("", 0, "\x00", 1),
		thing("", 0, "\x00a", 1),
		thing("", 0, "a", 1),
		thing("", 0, "a\x01", 1),
		thing("", 1<<63-1, "ÿ", 1),
		thing("\x00", 0, "", 1),
		thing("\x00\x01", 0, "", 1),
		thing("\x01", 0, "", 1),
		{[]byte("\xff"), int64(0), "", int64(-5), "text\x00\nmore", []byte{0, 1, 255}},
		thing("\xff\xff", 0, "", 1),
	}
	for i := range want { // the last first
		put(t, m, want[len(want)-1-i])
	}
	equal(t, all(t, m), want)
	row, err := m.Get(t.Context(), things, []byte{}, int64(0), "\x00a")
	ok(t, err)
	equal(t, row, want[4])
	row, err = m.Get(t.Context(), things, []byte{}, int64(0), "none")
	ok(t, err)
	equal(t, row, nil)
}

func scans(t *testing.T, s readmodel.Store) {
	m := model(t, s)
	var rows []projections.Row
	for _, g := range []string{"a", "ab", "b"} {
		for n := range int64(3) {
			rows = append(rows, thing(g, n, "x", 0), thing(g, n, "y", 0))
		}
	}
	put(t, m, rows...)
	for _, c := range []struct {
		prefix, after []any
		limit         int
		want          []projections.Row
	}{
		{nil, nil, 2, rows[:2]},
		{[]any{[]byte("a")}, nil, 100, rows[:6]},
		{[]any{[]byte("a"), int64(1)}, nil, 100, rows[2:4]},
		{[]any{[]byte("a")}, []any{int64(1)}, 100, rows[4:6]},
		{[]any{[]byte("a")}, []any{int64(1), "x"}, 100, rows[3:6]},
		{nil, []any{[]byte("a")}, 1, rows[6:7]},
		{nil, []any{[]byte("ab"), int64(2), "y"}, 100, rows[12:]},
		{[]any{[]byte("c")}, nil, 100, nil},
	} {
		got, err := m.Scan(t.Context(), things, c.prefix, c.after, c.limit)
		ok(t, err)
		equal(t, got, c.want)
	}
}

func ownWrites(t *testing.T, s readmodel.Store) {
	m := model(t, s)
	put(t, m, thing("a", 1, "x", 1), thing("a", 2, "x", 1), thing("b", 1, "x", 1))
	var got []string
	apply(t, m, func(r projections.Rows) error {
		got = nil
		get := func(group string, number int64) {
			row, err := r.Get(things, []byte(group), number, "x")
			ok(t, err)
			if row == nil {
				got = append(got, "none")
			} else {
				got = append(got, fmt.Sprint(row.Int(3)))
			}
		}
		get("a", 1)
		ok(t, r.Put(things, thing("a", 1, "x", 2)))
		get("a", 1)
		ok(t, r.Delete(things, []byte("a")))
		get("a", 1)
		get("a", 2)
		get("b", 1)
		ok(t, r.Put(things, thing("a", 2, "x", 3)))
		get("a", 2)
		ok(t, r.Delete(things, []byte("b"), int64(1), "x"))
		get("b", 1)
		ok(t, r.Put(things, thing("c", 1, "x", 4)))
		return r.Delete(things, []byte("c"), int64(1), "x")
	})
	equal(t, got, []string{"1", "2", "none", "none", "1", "3", "none"})
	equal(t, all(t, m), []projections.Row{thing("a", 2, "x", 3)})
	apply(t, m, func(r projections.Rows) error { return r.Delete(things) })
	equal(t, all(t, m), nil)
}

func undone(t *testing.T, s readmodel.Store) {
	m := model(t, s)
	put(t, m, thing("a", 1, "x", 1))
	broken := errors.New("broken")
	try := func(how func()) (err error) {
		defer func() {
			if p := recover(); p != nil {
				err = p.(error)
			}
		}()
		return m.Apply(t.Context(), readmodel.Batch{
			From: 1, Next: 2, Poison: []readmodel.Poison{{Position: 2}},
			Fold: func(r projections.Rows) error {
				ok(t, r.Put(things, thing("a", 1, "x", 2)))
				ok(t, r.Delete(things, []byte("a")))
				how()
				return broken
			},
		})
	}
	for _, how := range []func(){func() {}, func() { panic(broken) }} {
		if err := try(how); !errors.Is(err, broken) {
			t.Fatalf("got %v", err)
		}
		at, err := m.Position(t.Context())
		ok(t, err)
		equal(t, at, event.Position(1))
		equal(t, all(t, m), []projections.Row{thing("a", 1, "x", 1)})
		poison, err := m.Poison(t.Context(), 10)
		ok(t, err)
		equal(t, len(poison), 0)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if err := m.Apply(ended, readmodel.Batch{From: 1, Next: 2}); !errors.Is(err, context.Canceled) {
		t.Fatalf("got %v", err)
	}
	put(t, m, thing("a", 1, "x", 3))
	equal(t, all(t, m), []projections.Row{thing("a", 1, "x", 3)})
}

func moved(t *testing.T, s readmodel.Store) {
	m := model(t, s)
	put(t, m)
	err := m.Apply(t.Context(), readmodel.Batch{From: 0, Next: 9, Fold: func(r projections.Rows) error {
		return r.Put(things, thing("a", 1, "x", 1))
	}})
	if !errors.Is(err, readmodel.ErrMoved) {
		t.Fatalf("got %v", err)
	}
	equal(t, all(t, m), nil)
}
