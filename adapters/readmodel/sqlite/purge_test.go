package sqlite_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/cleversender/cleversender/adapters/readmodel"
	"github.com/cleversender/cleversender/adapters/readmodel/sqlite"
	"github.com/cleversender/cleversender/projections"
)

// After a purge no byte of a deleted row is in any file, though the model is open and read.
func TestPurgeLeavesNothing(t *testing.T) {
	folder := t.TempDir()
	s, err := sqlite.New(folder)
	if err != nil {
		t.Fatal(err)
	}
	table := &projections.Table{
		Name: "people", Key: []projections.Column{{Name: "id", Kind: projections.Int}}, Values: []projections.Column{{Name: "sealed", Kind: projections.Bytes}},
	}
	m, err := s.Open(t.Context(), "m_v1", []*projections.Table{table})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = m.Close() }()
	sealed := func(i int) []byte { return fmt.Appendf(nil, "canary-%d-%s", i, bytes.Repeat([]byte("x"), i%900)) }
	apply := func(fold func(projections.Rows) error) {
		t.Helper()
		at, err := m.Position(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if err := m.Apply(t.Context(), readmodel.Batch{From: at, Next: at + 1, Fold: fold}); err != nil {
			t.Fatal(err)
		}
	}
	for start := 0; start < 2000; start += 500 {
		apply(func(r projections.Rows) error {
			for i := range 500 {
				if err := r.Put(table, projections.Row{int64(start + i), sealed(start + i)}); err != nil {
					return err
				}
			}
			return nil
		})
	}
	if hits(t, folder, "canary-1234-") == 0 {
		t.Fatal("the search finds nothing")
	}
	apply(func(r projections.Rows) error { return r.Delete(table, int64(1234)) })
	if _, err := m.Get(t.Context(), table, int64(1)); err != nil {
		t.Fatal(err)
	}
	if err := m.Purge(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n := hits(t, folder, "canary-1234-"); n > 0 {
		t.Fatalf("%d hits after the purge", n)
	}
	if hits(t, folder, "canary-1235-") == 0 {
		t.Fatal("the others went too")
	}
}

func hits(t *testing.T, folder, text string) (n int) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(folder, "*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		raw, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		n += bytes.Count(raw, []byte(text))
	}
	return n
}
