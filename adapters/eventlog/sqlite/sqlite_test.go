package sqlite_test

import (
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/cleversender/cleversender/adapters/eventlog"
	"github.com/cleversender/cleversender/adapters/eventlog/logtest"
	"github.com/cleversender/cleversender/adapters/eventlog/sqlite"
	"github.com/cleversender/cleversender/domain"
	"github.com/cleversender/cleversender/domain/event"
)

func open(t testing.TB, dir string, options ...sqlite.Option) *sqlite.Log {
	t.Helper()
	log, err := sqlite.Open(t.Context(), filepath.Join(dir, "events.db"), options...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = log.Close() })
	return log
}

func TestItKeepsThePromisesOfALog(t *testing.T) {
	logtest.Run(t, logtest.Adapter{
		Open: func(t testing.TB, dir string) eventlog.Log { return open(t, dir) },
		Knowing: func(t testing.TB, dir string, known eventlog.Known) eventlog.Log {
			return open(t, dir, sqlite.Knows(known))
		},
		Durable: true,
	})
}

// With a short memory followers read from the database, or from both.
func TestItKeepsThemWithAShortMemory(t *testing.T) {
	logtest.Run(t, logtest.Adapter{
		Open: func(t testing.TB, dir string) eventlog.Log { return open(t, dir, sqlite.KeepTail(1)) },
		Knowing: func(t testing.TB, dir string, known eventlog.Known) eventlog.Log {
			return open(t, dir, sqlite.KeepTail(1), sqlite.Knows(known))
		},
		Durable: true,
	})
}

// database opens the log's file as an operator would.
func database(t *testing.T, dir string) *sql.DB {
	t.Helper()
	db, err := sql.Open("sqlite", filepath.Join(dir, "events.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

func run(t *testing.T, db *sql.DB, text string) {
	t.Helper()
	if _, err := db.Exec(text); err != nil {
		t.Fatal(err)
	}
}

func TestAFileOfANewerSchemaIsRefused(t *testing.T) {
	dir := t.TempDir()
	if err := open(t, dir).Close(); err != nil {
		t.Fatal(err)
	}
	run(t, database(t, dir), "INSERT INTO goose_db_version (version_id, is_applied) VALUES (999, 1)")
	_, err := sqlite.Open(t.Context(), filepath.Join(dir, "events.db"))
	var refusal domain.Refusal
	if !errors.As(err, &refusal) || refusal.Code != "eventlog_newer" {
		t.Errorf("error %v", err)
	}
}

func TestAFileThatIsNoDatabaseIsAnError(t *testing.T) {
	path := filepath.Join(t.TempDir(), "events.db")
	if err := os.WriteFile(path, []byte(strings.Repeat("no database ", 1000)), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := sqlite.Open(t.Context(), path); err == nil {
		t.Error("it was opened")
	}
}

func TestAPathMayHoldWhatAURLEscapes(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "50% of #1? søren")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	open(t, dir)
	if _, err := os.Stat(filepath.Join(dir, "events.db")); err != nil {
		t.Error(err)
	}
}

func TestTheLogIsReadWithPlainSQL(t *testing.T) {
	dir := t.TempDir()
	log := open(t, dir)
	for _, from := range []int{0, 2} {
		if _, err := log.Append(t.Context(), eventlog.Append{
			Stream: "list-1", Expect: uint64(from), Events: logtest.Events("list-1", 4)[from : from+2],
		}); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := log.Append(t.Context(), eventlog.Append{Stream: "list-2", Events: logtest.Events("list-2", 1)}); err != nil {
		t.Fatal(err)
	}
	rows, err := database(t, dir).Query("SELECT position, revision, type, version, id, json_extract(data, '$.n') FROM log WHERE stream = 'list-1' ORDER BY revision")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	want := logtest.Events("list-1", 4)
	n := 0
	for ; rows.Next(); n++ {
		var position, revision, version, k int
		var typ, id string
		if err := rows.Scan(&position, &revision, &typ, &version, &id, &k); err != nil {
			t.Fatal(err)
		}
		if position != n+1 || revision != n+1 || typ != "thing.happened" || version != 1 || id != strings.ReplaceAll(want[n].ID.String(), "-", "") || k != n {
			t.Errorf("row %d: %d %d %s %d %s %d", n, position, revision, typ, version, id, k)
		}
	}
	if n != 4 || rows.Err() != nil {
		t.Errorf("%d rows, error %v", n, rows.Err())
	}
}

// A transaction that fails takes nothing with it, whichever write failed: not
// its events, not its kinds, not the appends after it.
func TestAFailedTransactionLeavesNothing(t *testing.T) {
	for _, write := range []string{"events WHEN new.position >= 50", "runs WHEN new.stream = 'new'", "kinds"} {
		t.Run(write, func(t *testing.T) {
			dir := t.TempDir()
			log := open(t, dir)
			first := eventlog.Append{Stream: "s", Events: logtest.Events("first", 3)}
			if _, err := log.Append(t.Context(), first); err != nil {
				t.Fatal(err)
			}
			db := database(t, dir)
			run(t, db, "CREATE TRIGGER full BEFORE INSERT ON "+write+" BEGIN SELECT RAISE(ABORT, 'disk is full'); END")
			second := eventlog.Append{Stream: "s", Expect: 3, Events: logtest.Events("second", 100)}
			second.Events[40].Type = "other.happened"
			results, errs := log.AppendBulk(t.Context(), []eventlog.Append{
				second, {Stream: "wrong", Expect: 9, Events: first.Events}, {Stream: "new", Events: first.Events}, {Stream: "empty"},
			})
			for i, err := range errs {
				if err == nil || results[i] != (eventlog.Result{}) {
					t.Errorf("append %d: %v, error %v", i, results[i], err)
				}
			}
			if errs[3].Error() != "append: no events" || !strings.Contains(errs[0].Error(), "disk is full") {
				t.Errorf("errors %v", errs)
			}
			if head, _ := log.Head(t.Context()); head != 3 {
				t.Errorf("head %d", head)
			}
			run(t, db, "DROP TRIGGER full")
			for range 2 {
				if result, err := log.Append(t.Context(), second); err != nil || result != (eventlog.Result{Position: 103, Revision: 103}) {
					t.Errorf("sent again: %v, %v", result, err)
				}
			}
			for events, err := range log.ReadStream(t.Context(), "s", 43, 1) {
				if err != nil || events[0].Type != "other.happened" {
					t.Errorf("type %q, error %v", events[0].Type, err)
				}
				break
			}
		})
	}
}

// A commit can fail and be done all the same. The log goes on from what the
// file then holds, and followers miss nothing.
func TestACommitThatFailedButWasDone(t *testing.T) {
	dir := t.TempDir()
	log := open(t, dir)
	if _, err := log.Append(t.Context(), eventlog.Append{Stream: "s", Events: logtest.Events("first", 2)}); err != nil {
		t.Fatal(err)
	}
	db := database(t, dir)
	run(t, db, "CREATE TRIGGER full BEFORE INSERT ON events WHEN new.position = 3 BEGIN SELECT RAISE(ABORT, 'disk is full'); END")
	second := eventlog.Append{Stream: "s", Expect: 2, Events: logtest.Events("second", 1)}
	if _, err := log.Append(t.Context(), second); err == nil {
		t.Fatal("it did not fail")
	}
	run(t, db, "DROP TRIGGER full")
	run(t, db, "INSERT INTO events SELECT 3, kind, envelope, data FROM events WHERE position = 1")
	run(t, db, "INSERT INTO runs VALUES ('t', 1, 3, 1)")
	result, err := log.Append(t.Context(), second)
	if err != nil || result.Position != 4 {
		t.Fatalf("%v, %v", result, err)
	}
	var got []event.Position
	for page, err := range log.Follow(t.Context(), 0, nil, 10) {
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range page.Events {
			got = append(got, e.Position)
		}
		if page.Next == 4 {
			break
		}
	}
	if !slices.Equal(got, []event.Position{1, 2, 3, 4}) {
		t.Errorf("followed %v", got)
	}
}

func TestWhoeverWaitsSharesTheNextTransaction(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var commits []sqlite.Commit
		goOn := make(chan struct{})
		log := open(t, t.TempDir(), sqlite.OnCommit(func(c sqlite.Commit) {
			commits = append(commits, c)
			<-goOn
		}))
		var wg sync.WaitGroup
		add := func(i int) {
			wg.Go(func() {
				if _, err := log.Append(t.Context(), eventlog.Append{Stream: "s-" + logtest.ID(uint64(i)).String(), Events: logtest.Events("x", 2)}); err != nil {
					t.Error(err)
				}
			})
		}
		add(0)
		synctest.Wait() // the writer is held up
		for i := range 200 {
			add(i + 1)
		}
		synctest.Wait() // all of them wait
		close(goOn)
		wg.Wait()
		if err := log.Close(); err != nil {
			t.Fatal(err)
		}
		if len(commits) != 2 || commits[1].Appends != 200 || commits[1].Events != 400 {
			t.Errorf("transactions: %+v", commits)
		}
	})
}
