package sqlite

import (
	"path/filepath"
	"testing"
)

// Reads that come one after the other share a connection, and so the pages that
// it has at hand; those at the same time have one each.
func TestOneConnectionIsEnoughForOneReader(t *testing.T) {
	p := newPool(filepath.Join(t.TempDir(), "model.db"))
	writer, err := open(p.path, "journal_mode(WAL)")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = writer.close() }()
	var first, other *conn
	read := func(f func(*conn) error) {
		t.Helper()
		if err := p.with(t.Context(), f); err != nil {
			t.Fatal(err)
		}
	}
	read(func(c *conn) error { first = c; return nil })
	read(func(c *conn) error {
		if c != first {
			t.Error("the second read has another connection")
		}
		return p.with(t.Context(), func(c *conn) error { other = c; return nil })
	})
	if other == first {
		t.Error("two reads at once share a connection")
	}
	for range 3 {
		read(func(c *conn) error {
			if c != first {
				t.Error("the connection used last is not the next one")
			}
			return nil
		})
	}
	if err := p.close(); err != nil {
		t.Fatal(err)
	}
}
