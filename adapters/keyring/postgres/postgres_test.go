package postgres

import (
	"context"
	"crypto/cipher"
	"errors"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/cleversender/cleversender/adapters/keyring"
	"github.com/cleversender/cleversender/adapters/keyring/keyringtest"
	"github.com/cleversender/cleversender/adapters/pgtest"
	"github.com/cleversender/cleversender/domain/personal"
)

func TestMain(m *testing.M) {
	keyringtest.FewerChecks()
	os.Exit(pgtest.Main(m))
}

func home(t *testing.T) keyringtest.Open {
	at := pgtest.Database(t)
	return func(root string) (keyringtest.Store, error) { return Open(context.Background(), at, root) }
}

// TestKeyring: what every keyring promises, and what is promised of several nodes.
func TestKeyring(t *testing.T) {
	keyringtest.Run(t, home)
	keyringtest.RunShared(t, home)
}

// TestKeyringWithAFileOfEpochs: the same, with the KEKs in a file that all nodes see.
func TestKeyringWithAFileOfEpochs(t *testing.T) {
	keyringtest.RunShared(t, func(t *testing.T) keyringtest.Open {
		at := with(pgtest.Database(t), "epochs", "file://"+filepath.Join(t.TempDir(), "keys.epochs"))
		return func(root string) (keyringtest.Store, error) { return Open(context.Background(), at, root) }
	})
}

func with(at, name, value string) string { return at + "&" + name + "=" + url.QueryEscape(value) }

// world is a keyring, and somebody with psql.
type world struct {
	*testing.T
	url, root string
	s         *Store
	admin     *pgx.Conn
}

func newWorld(t *testing.T) *world {
	w := &world{T: t, url: pgtest.Database(t), root: keyringtest.NewRoot(t)}
	w.s = w.open(w.url)
	w.admin = w.connect()
	return w
}

func (w *world) open(at string) *Store {
	w.Helper()
	s, err := Open(w.Context(), at, w.root)
	if err != nil {
		w.Fatal(err)
	}
	w.Cleanup(func() { _ = s.Close() })
	return s
}

func (w *world) connect() *pgx.Conn {
	w.Helper()
	conn, err := pgx.Connect(w.Context(), w.url)
	if err != nil {
		w.Fatal(err)
	}
	w.Cleanup(func() { _ = conn.Close(context.Background()) })
	w.exec(conn, `SET search_path = cleversender_keys`)
	return conn
}

func (w *world) exec(conn *pgx.Conn, query string, args ...any) {
	w.Helper()
	if _, err := conn.Exec(w.Context(), query, args...); err != nil {
		w.Fatalf("%s: %v", query, err)
	}
}

func (w *world) ask(query string, args ...any) (yes bool) {
	w.Helper()
	if err := w.admin.QueryRow(w.Context(), query, args...).Scan(&yes); err != nil {
		w.Fatalf("%s: %v", query, err)
	}
	return yes
}

func (w *world) until(what string, true func() bool) {
	w.Helper()
	for began := time.Now(); !true(); time.Sleep(time.Millisecond) {
		if time.Since(began) > time.Minute {
			w.Fatalf("not within a minute: %s", what)
		}
	}
}

func (w *world) ensure(s *Store, refs ...personal.KeyRef) []cipher.AEAD {
	w.Helper()
	keys, err := s.Ensure(w.Context(), refs)
	if err != nil {
		w.Fatal(err)
	}
	return keys
}

func (w *world) lookup(s *Store, refs ...personal.KeyRef) []cipher.AEAD {
	w.Helper()
	keys, err := s.Lookup(w.Context(), refs)
	if err != nil {
		w.Fatal(err)
	}
	return keys
}

// meanwhile runs change in a transaction at the gate, and do beside it, which
// has to wait there; then the transaction is committed.
func (w *world) meanwhile(change string, args []any, do func()) {
	w.Helper()
	conn := w.connect()
	w.exec(conn, `BEGIN`)
	w.exec(conn, `SELECT pg_advisory_xact_lock($1)`, w.s.place.gate)
	w.exec(conn, change, args...)
	done := make(chan struct{})
	go func() { defer close(done); do() }()
	w.until("somebody waits at the gate", func() bool {
		return w.ask(`SELECT EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND NOT granted)`)
	})
	w.exec(conn, `COMMIT`)
	<-done
}

// What adds and had to wait at the gate sees what was taken away before it got in.
func TestTheGate(t *testing.T) {
	w := newWorld(t)
	gone := keyringtest.NewID()
	w.meanwhile(`INSERT INTO erased VALUES ($1, 0)`, []any{[16]byte(gone)}, func() {
		if keys, err := w.s.Ensure(t.Context(), keyringtest.Identity(gone)); err != nil || keys[0] != nil {
			t.Errorf("the key of an erased person, or %v", err)
		}
	})
	account := keyringtest.NewID()
	w.meanwhile(`INSERT INTO suppressed VALUES ($1)`, []any{one(w.s.suppressed, account, "a@example.com")}, func() {
		if rs, err := w.s.Reserve(t.Context(), account, []string{"a@example.com"}); err != nil || !rs[0].Suppressed {
			t.Errorf("a suppressed address is %+v, %v", rs, err)
		}
	})
	w.meanwhile(`UPDATE epoch SET oldest = 2`, nil, func() {
		if _, err := w.s.Ensure(t.Context(), keyringtest.Identity(keyringtest.NewID())); !errors.Is(err, errEpochUnseen) {
			t.Errorf("a key in an epoch that is over: %v", err)
		}
	})
}

// destroy is what Shred of another node does, when nobody hears of it.
func (w *world) destroy(who personal.KeyRef) {
	w.Helper()
	w.exec(w.admin, `DELETE FROM keys WHERE subject = $1`, [16]byte(who.Subject))
	w.exec(w.admin, `INSERT INTO erased VALUES ($1, 1)`, [16]byte(who.Subject))
}

// A key that another node destroyed opens no longer than Trust, heard of or not.
func TestADestroyedKeyIsTrustedForAMoment(t *testing.T) {
	w := newWorld(t)
	if w.s.cache.Trust != Trust {
		t.Errorf("a key is trusted for %v", w.s.cache.Trust)
	}
	w.s.cache.Trust = 50 * time.Millisecond
	who := keyringtest.Identity(keyringtest.NewID())[0]
	w.ensure(w.s, who)
	w.lookup(w.s, who)
	w.destroy(who)
	time.Sleep(w.s.cache.Trust + time.Nanosecond)
	if w.lookup(w.s, who)[0] != nil {
		t.Error("it is given out for longer")
	}
}

// What another node destroys is evicted as soon as it is heard of, and when it
// may have been missed.
func TestListening(t *testing.T) {
	w := newWorld(t)
	w.s.cache.Trust = time.Hour
	listener := `SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND query LIKE 'LISTEN%'`
	heard := func(change func(personal.KeyRef)) {
		t.Helper()
		w.until("it listens", func() bool { return w.ask(`SELECT EXISTS (` + listener + `)`) })
		who := keyringtest.Identity(keyringtest.NewID())[0]
		w.ensure(w.s, who)
		w.until("it is cached", func() bool { // whoever begins to listen clears the cache
			w.lookup(w.s, who)
			missing, _ := w.s.cache.Get([]personal.KeyRef{who}, func(int, []byte) error { return nil })
			return len(missing) == 0
		})
		change(who)
		w.until("the key is gone", func() bool { return w.lookup(w.s, who)[0] == nil })
	}
	other := w.open(w.url)
	heard(func(who personal.KeyRef) {
		if _, err := other.Shred(t.Context(), who.Subject); err != nil {
			t.Error(err)
		}
	})
	heard(func(who personal.KeyRef) {
		w.destroy(who)
		w.exec(w.admin, `SELECT pg_terminate_backend(pid) FROM (`+listener+`) l`)
	})
}

// A connection that breaks is nobody's business but the store's.
func TestBrokenConnections(t *testing.T) {
	w := newWorld(t)
	account := keyringtest.NewID()
	for i := range 50 {
		if !w.ask(`SELECT count(pg_terminate_backend(pid)) > 0 FROM pg_stat_activity
			WHERE application_name = 'cleversender keys' AND datname = current_database()`) {
			t.Fatal("no connection was ended")
		}
		who := keyringtest.Identity(keyringtest.NewID())
		w.ensure(w.s, who...)
		w.lookup(w.s, who...)
		if rs, err := w.s.Reserve(t.Context(), account, []string{strings.Repeat("a", i+1)}); err != nil || rs[0].Person.IsZero() {
			t.Fatalf("%v, %v", rs, err)
		}
		if n, err := w.s.Shred(t.Context(), who[0].Subject); err != nil || n != 2 {
			t.Fatalf("%d keys, %v", n, err)
		}
	}
}

// Two keyrings in one database know nothing of each other.
func TestSchemas(t *testing.T) {
	w := newWorld(t)
	other := w.open(with(w.url, "schema", "others"))
	who := keyringtest.Identity(keyringtest.NewID())
	w.ensure(w.s, who...)
	if _, err := other.Lookup(t.Context(), who); !errors.Is(err, keyring.ErrKeyMissing) {
		t.Errorf("got %v", err)
	}
	if w.s.place.gate == other.place.gate || w.s.place.turn == other.place.turn {
		t.Error("they wait for each other")
	}
}

// A URL that is not understood is refused, and a password in it not repeated.
func TestURLs(t *testing.T) {
	for _, bad := range []string{
		"postgres://me:secret@127.0.0.1:x/db", "postgres://me:secret@127.0.0.1/db?schema=A", "postgres://me:secret@127.0.0.1/db?schema=",
		"postgres://me:secret@127.0.0.1/db?schema=a-b", "postgres://me:secret@127.0.0.1/db?epochs=/keys", "postgres://me:secret@127.0.0.1/db?epochs=file://keys",
		"postgres://me:secret@127.0.0.1/db?sslmode=perhaps",
	} {
		if _, err := Open(t.Context(), bad, keyringtest.NewRoot(t)); !errors.Is(err, ErrURL) || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: %v", bad, err)
		}
	}
	at, err := parse("postgres://me@127.0.0.1/db?schema=mine&epochs=file:///etc/keys.epochs&pool_max_conns=1&synchronous_commit=off")
	if err != nil || at.schema != "mine" || at.epochs != "/etc/keys.epochs" || at.config.MaxConns != 2 ||
		at.config.ConnConfig.RuntimeParams["synchronous_commit"] != "on" {
		t.Errorf("%+v, %v", at, err)
	}
}

// Purge vacuums what rows were deleted from.
func TestPurge(t *testing.T) {
	w := newWorld(t)
	if err := w.s.Purge(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, table := range []string{"keys", "kept", "directory", "suppressed"} {
		w.until(table+" is vacuumed", func() bool {
			return w.ask(`SELECT vacuum_count > 0 FROM pg_stat_user_tables WHERE schemaname = 'cleversender_keys' AND relname = $1`, table)
		})
	}
}
