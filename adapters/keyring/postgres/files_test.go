package postgres

import (
	"testing"

	"github.com/cleversender/cleversender/adapters/keyring/keyringtest"
	"github.com/cleversender/cleversender/adapters/pgtest"
	"github.com/cleversender/cleversender/domain/personal"
)

// Once the table has been written anew, the wrapped key of an erased person is
// in no file of the database, be it of a table or an index; others are.
func TestFilesAfterAnErasure(t *testing.T) {
	w := newWorld(t)
	var refs []personal.KeyRef
	for range 300 { // several pages
		refs = append(refs, keyringtest.Identity(keyringtest.NewID())...)
	}
	w.ensure(w.s, refs...)
	wrapped := func(of personal.KeyRef) (key []byte) {
		t.Helper()
		query := `SELECT wrapped FROM keys WHERE subject = $1 AND class = $2`
		if err := w.admin.QueryRow(t.Context(), query, [16]byte(of.Subject), int16(of.Class)).Scan(&key); err != nil {
			t.Fatal(err)
		}
		return key
	}
	who, other := refs[150], refs[len(refs)-1]
	gone, kept := wrapped(who), wrapped(other)
	if pgtest.Found(t, w.url, gone) != 1 {
		t.Fatal("the search does not find what is there")
	}
	if _, err := w.s.Shred(t.Context(), who.Subject); err != nil {
		t.Fatal(err)
	}
	if err := w.s.Purge(t.Context()); err != nil {
		t.Fatal(err)
	}
	w.exec(w.admin, `VACUUM FULL keys`) // as docs/postgres.md says
	if n := pgtest.Found(t, w.url, gone); n > 0 {
		t.Errorf("the key is there %d times", n)
	}
	if pgtest.Found(t, w.url, kept) != 1 {
		t.Error("another's key went, too")
	}
}
