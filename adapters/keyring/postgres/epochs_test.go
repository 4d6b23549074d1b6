package postgres

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/cleversender/cleversender/adapters/keyring"
	"github.com/cleversender/cleversender/adapters/keyring/keyringtest"
)

// Rows of a backup open nothing any more, once the epoch they are from is destroyed.
func TestABackupIsWorthNothingOnceItsEpochIsDestroyed(t *testing.T) {
	w := newWorld(t)
	gone := keyringtest.Identity(keyringtest.NewID())
	w.ensure(w.s, gone...)
	w.exec(w.admin, `CREATE TABLE backup AS SELECT * FROM keys`)
	if _, err := w.s.Shred(t.Context(), gone[0].Subject); err != nil {
		t.Fatal(err)
	}
	restore := func() {
		w.exec(w.admin, `DELETE FROM erased`)
		w.exec(w.admin, `INSERT INTO keys SELECT * FROM backup ON CONFLICT (subject, class) DO UPDATE SET wrapped = excluded.wrapped`)
	}
	restore()
	if w.lookup(w.open(w.url), gone...)[0] == nil {
		t.Fatal("the backup is no backup")
	}
	if _, err := w.s.NewEpoch(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := w.s.DestroyEpoch(t.Context(), 1); err != nil {
		t.Fatal(err)
	}
	restore()
	if _, err := w.open(w.url).Lookup(t.Context(), gone); !errors.Is(err, keyring.ErrEpochGone) {
		t.Errorf("a key of the backup opens, or seems erased: %v", err)
	}
	if err := w.s.DestroyEpoch(t.Context(), 1); err != nil {
		t.Error(err)
	}
}

// A key that is still in an old epoch, from a backup put back say, keeps it from being destroyed.
func TestAnEpochInUseIsNotDestroyed(t *testing.T) {
	w := newWorld(t)
	w.ensure(w.s, keyringtest.Identity(keyringtest.NewID())...)
	w.exec(w.admin, `CREATE TABLE backup AS SELECT * FROM keys`)
	if _, err := w.s.NewEpoch(t.Context()); err != nil {
		t.Fatal(err)
	}
	w.exec(w.admin, `UPDATE keys k SET wrapped = b.wrapped FROM backup b WHERE k.subject = b.subject AND k.class = b.class`)
	if err := w.s.DestroyEpoch(t.Context(), 1); !errors.Is(err, keyring.ErrEpochInUse) {
		t.Errorf("got %v", err)
	}
}

// A node that died in the middle of NewEpoch left the KEK, and perhaps nothing
// else: the others go on, and the next call finishes it.
func TestAnEpochThatWasNotFinished(t *testing.T) {
	w := newWorld(t)
	w.ensure(w.s, keyringtest.Identity(keyringtest.NewID())...)
	half, err := w.s.epochs.Load().Next()
	if err != nil {
		t.Fatal(err)
	}
	if err := w.s.inTurn(t.Context(), func(conn *pgxpool.Conn) error { return w.s.keks.write(t.Context(), conn, half) }); err != nil {
		t.Fatal(err)
	}
	other := w.open(w.url)
	for _, s := range []*Store{w.s, other} {
		w.ensure(s, keyringtest.Identity(keyringtest.NewID())...)
		if err := s.DestroyEpoch(t.Context(), 1); !errors.Is(err, keyring.ErrEpochInUse) {
			t.Errorf("in the middle of it: %v", err)
		}
	}
	if n, err := w.s.NewEpoch(t.Context()); err != nil || n != 2 {
		t.Fatalf("epoch %d, %v: the one begun is to be finished", n, err)
	}
	if err := other.DestroyEpoch(t.Context(), 1); err != nil {
		t.Error(err)
	}
}

// A node that has not heard of an epoch reads the epochs when it meets a key of it.
func TestAnEpochThatWasNotHeardOf(t *testing.T) {
	w := newWorld(t)
	other := w.open(w.url)
	who := keyringtest.Identity(keyringtest.NewID())
	key := w.ensure(other, who...)[0]
	old := w.s.epochs.Load()
	if _, err := other.NewEpoch(t.Context()); err != nil {
		t.Fatal(err)
	}
	w.until("it has heard", func() bool { return w.s.Epoch() == 2 })
	w.s.epochs.Store(old)
	if !keyringtest.Same(key, w.lookup(w.s, who...)[0]) || w.s.Epoch() != 2 {
		t.Error("the key is another, or the epochs are old")
	}
	w.s.epochs.Store(old)
	w.ensure(w.s, keyringtest.Identity(keyringtest.NewID())...)
	if w.s.Epoch() != 2 {
		t.Error("a key was made in an epoch that is over")
	}
}

// A node that was held up while it rewrapped keys undoes nothing of what others did since.
func TestKeysThatWereRewrappedTooLate(t *testing.T) {
	w := newWorld(t)
	who := keyringtest.Identity(keyringtest.NewIDs(2)...)
	keys := w.ensure(w.s, who...)
	old, err := w.s.look(t.Context(), who)
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if _, err := w.s.NewEpoch(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := w.s.Shred(t.Context(), who[0].Subject); err != nil {
		t.Fatal(err)
	}
	late := [][]byte{old[0].wrapped, old[1].wrapped}
	if err := w.s.rewrap(t.Context(), who, late, [][]byte{[]byte("late"), []byte("late")}); err != nil {
		t.Fatal(err)
	}
	if now := w.lookup(w.s, who...); now[0] != nil || !keyringtest.Same(keys[1], now[1]) {
		t.Error("a key came back, or was lost")
	}
}

// A KEK that was destroyed is in no byte of the table's file.
func TestADestroyedKEKIsNotInTheTable(t *testing.T) {
	w := newWorld(t)
	file := func() (raw []byte) {
		t.Helper()
		w.exec(w.admin, `CHECKPOINT`)
		err := w.admin.QueryRow(t.Context(), `SELECT pg_read_binary_file(pg_relation_filepath('cleversender_keys_epochs.document'))`).Scan(&raw)
		if err != nil {
			t.Fatal(err)
		}
		return raw
	}
	var before []byte
	if err := w.admin.QueryRow(t.Context(), `SELECT content FROM cleversender_keys_epochs.document`).Scan(&before); err != nil {
		t.Fatal(err)
	}
	_, kek, _ := bytes.Cut(before, []byte(`"1": "`))
	if kek = kek[:40]; !bytes.Contains(file(), kek) {
		t.Fatal("the search does not find what is there")
	}
	if _, err := w.s.NewEpoch(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := w.s.DestroyEpoch(t.Context(), 1); err != nil {
		t.Fatal(err)
	}
	if raw := file(); bytes.Contains(raw, kek) || !bytes.Contains(raw, []byte(`"2": "`)) {
		t.Error("it is there, or the other is not")
	}
}

// Keys without their epochs are no keyring, and none is made of them.
func TestWithoutItsEpochsNothingOpens(t *testing.T) {
	w := newWorld(t)
	w.exec(w.admin, `DROP SCHEMA cleversender_keys_epochs CASCADE`)
	file := filepath.Join(t.TempDir(), "keys.epochs")
	inFile := with(with(w.url, "schema", "filed"), "epochs", "file://"+file)
	if err := w.open(inFile).Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	for _, at := range []string{w.url, inFile} {
		if _, err := Open(t.Context(), at, w.root); !errors.Is(err, keyring.ErrEpochsMissing) {
			t.Errorf("got %v", err)
		}
	}
}
