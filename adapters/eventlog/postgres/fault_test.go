package postgres_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/cleversender/cleversender/adapters/eventlog"
	"github.com/cleversender/cleversender/adapters/eventlog/logtest"
	"github.com/cleversender/cleversender/adapters/eventlog/postgres"
	"github.com/cleversender/cleversender/adapters/pgtest"
	"github.com/cleversender/cleversender/domain"
	"github.com/cleversender/cleversender/domain/event"
)

// survive has two processes append, each with several writers, while chaos
// goes on, each with a follower and a reader. Nothing may fail, and of every
// append there must be one, where its answer said.
func survive(t *testing.T, url string, chaos func(ctx context.Context)) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	logs := []*postgres.Log{open(t, url), open(t, url, postgres.KeepTail(10))}
	over, end := context.WithCancel(ctx)
	go func() {
		defer end()
		chaos(ctx)
	}()
	var mu sync.Mutex
	appended := map[string][]domain.ID{}
	var last event.Position
	var writers, followers sync.WaitGroup
	const least = 1000 // what followers see while it goes on
	goes := func() bool {
		mu.Lock()
		defer mu.Unlock()
		return over.Err() == nil || last < least && !t.Failed()
	}
	heads := make(chan event.Position, len(logs))
	for node, log := range logs {
		for w := range 3 {
			writers.Go(func() {
				name := fmt.Sprint("node ", node, " writer ", w)
				var ids []domain.ID
				for i := 0; goes(); i++ {
					events := logtest.Events(fmt.Sprint(name, i), 1+i%40)
					result, err := log.Append(ctx, eventlog.Append{Stream: name, Expect: uint64(len(ids)), Events: events})
					for _, e := range events {
						ids = append(ids, e.ID)
					}
					if err != nil || result.Revision != uint64(len(ids)) {
						t.Errorf("append to revision %d: %v, %v", len(ids), result, err)
						return
					}
					mu.Lock()
					last = max(last, result.Position)
					mu.Unlock()
				}
				mu.Lock()
				appended[name] = ids
				mu.Unlock()
			})
		}
		followers.Go(func() {
			for over.Err() == nil {
				read(ctx, t, log, fmt.Sprint("node ", node, " writer 0"))
			}
		})
		followers.Go(func() {
			w := newWatcher(t)
			w.until(ctx, log, 100, least)
			w.until(ctx, log, 100, <-heads)
			mu.Lock()
			defer mu.Unlock()
			w.saw(appended)
		})
	}
	writers.Wait()
	for range logs {
		heads <- last
	}
	followers.Wait()
	newWatcher(t).until(ctx, logs[0], 1000, last)
	t.Logf("%d events", last)
}

// read reads in each way that there is, which may not fail either.
func read(ctx context.Context, t *testing.T, log *postgres.Log, stream string) {
	head, err := log.Head(ctx)
	if err != nil {
		t.Errorf("head: %v", err)
	}
	if _, err := log.ReadAt(ctx, []event.Position{1, head}); err != nil {
		t.Errorf("read at %d: %v", head, err)
	}
	revision := uint64(0)
	for events, err := range log.ReadStream(ctx, stream, 0, 100) {
		for _, e := range events {
			if revision++; e.Revision != revision {
				t.Errorf("revision %d comes after %d", e.Revision, revision-1)
			}
		}
		if err != nil {
			t.Errorf("read stream: %v", err)
		}
	}
}

// saw checks that streams are as they were appended.
func (w *watcher) saw(appended map[string][]domain.ID) {
	for name, ids := range appended {
		if got := w.streams[name]; len(got) != len(ids) {
			w.t.Errorf("%s: %d events, %d appended", name, len(got), len(ids))
		} else {
			for i := range ids {
				if got[i] != ids[i] {
					w.t.Errorf("%s: another event at %d", name, i)
					break
				}
			}
		}
	}
}

// The server crashes again and again, in the midst of everything.
func TestNothingIsLostWhenTheServerCrashes(t *testing.T) {
	cluster := pgtest.Own(t)
	url, err := cluster.Create(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	survive(t, url, func(ctx context.Context) {
		for range 5 {
			time.Sleep(time.Duration(rand.IntN(400)) * time.Millisecond)
			if err := cluster.Restart(ctx, time.Duration(rand.IntN(300))*time.Millisecond); err != nil {
				t.Error(err)
				return
			}
		}
	})
}

// Connections are ended at random, hundreds of times.
func TestNothingIsLostWhenConnectionsEnd(t *testing.T) {
	url := pgtest.Database(t)
	survive(t, url, func(ctx context.Context) {
		conn, err := pgx.Connect(ctx, url)
		if err != nil {
			t.Error(err)
			return
		}
		defer func() { _ = conn.Close(ctx) }()
		for ended := 0; ended < 400; {
			var n int
			if err := conn.QueryRow(ctx, `SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
				WHERE datname = current_database() AND pid <> pg_backend_pid() AND random() < 0.3`).Scan(&n); err != nil {
				t.Error(err)
				return
			}
			ended += n
			time.Sleep(time.Duration(rand.IntN(10)) * time.Millisecond)
		}
	})
}

// The primary becomes a standby: what is asked of it waits until there is a
// primary again.
func TestAStandbyIsWaitedOut(t *testing.T) {
	url := pgtest.Database(t)
	log := open(t, url)
	first, err := log.Append(t.Context(), eventlog.Append{Stream: "s", Events: logtest.Events("first", 1)})
	if err != nil {
		t.Fatal(err)
	}
	run(t, url, `DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET default_transaction_read_only = on', current_database()); END $$`)
	run(t, url, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()")
	if log, err := postgres.Open(t.Context(), url); err == nil {
		t.Error("a log was opened on a standby")
		_ = log.Close()
	}
	for i := range 5 {
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		if _, err := log.Append(ctx, eventlog.Append{Stream: fmt.Sprint("never", i), Events: logtest.Events("never", 1)}); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("append: %v", err)
		}
		if _, err := log.Head(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("head: %v", err)
		}
		cancel()
	}
	done := make(chan error)
	go func() {
		_, err := log.Append(t.Context(), eventlog.Append{Stream: "s", Expect: 1, Events: logtest.Events("second", 1)})
		done <- err
	}()
	run(t, url+"&default_transaction_read_only=off", `DO $$ BEGIN EXECUTE format('ALTER DATABASE %I RESET default_transaction_read_only', current_database()); END $$`)
	if err := <-done; err != nil {
		t.Error(err)
	}
	// Who gave up was let go of, but for the one whose append was being tried just then.
	if head, err := log.Head(t.Context()); head > first.Position+2 || err != nil {
		t.Errorf("head %d, error %v", head, err)
	}
}

// While the server is away a log can be closed; what waits for it fails.
func TestClosingDoesNotWaitForAServer(t *testing.T) {
	cluster := pgtest.Own(t)
	url, err := cluster.Create(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	log := open(t, url)
	if _, err := log.Append(t.Context(), eventlog.Append{Stream: "s", Events: logtest.Events("s", 1)}); err != nil {
		t.Fatal(err)
	}
	if err := cluster.Stop(); err != nil {
		t.Fatal(err)
	}
	followed, appended := make(chan error, 1), make(chan error, 1)
	go func() {
		var failed error
		for _, err := range log.Follow(t.Context(), 0, nil, 10) {
			failed = err
		}
		followed <- failed
	}()
	go func() {
		_, err := log.Append(t.Context(), eventlog.Append{Stream: "s", Expect: 1, Events: logtest.Events("late", 1)})
		appended <- err
	}()
	time.Sleep(20 * time.Millisecond)
	if err := log.Close(); err != nil {
		t.Error(err)
	}
	if err := <-followed; err != nil {
		t.Errorf("follow: %v", err)
	}
	if err := <-appended; err == nil {
		t.Error("the append did not fail")
	}
}

// A transaction that fails for good takes nothing with it, and the log goes on.
func TestAFailedTransactionLeavesNothing(t *testing.T) {
	url := pgtest.Database(t)
	log := open(t, url)
	run(t, url, `CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE SQLSTATE '53100' USING MESSAGE = 'the disk is full'; END $$;
		CREATE TRIGGER full_disk BEFORE INSERT ON events FOR EACH ROW WHEN (new.position >= 50) EXECUTE FUNCTION full_disk()`)
	events := logtest.Events("s", 100)
	events[40].Type = "other.happened"
	_, errs := log.AppendBulk(t.Context(), []eventlog.Append{{Stream: "s", Events: events}, {Stream: "t", Events: events[:1]}, {Stream: "none"}})
	if errs[0] == nil || errs[1] == nil || errs[2].Error() != "append: no events" {
		t.Errorf("errors %v", errs)
	}
	if head, err := log.Head(t.Context()); head != 0 || err != nil {
		t.Errorf("head %d, error %v", head, err)
	}
	run(t, url, "DROP TRIGGER full_disk ON events")
	for range 2 {
		if result, err := log.Append(t.Context(), eventlog.Append{Stream: "s", Events: events}); err != nil || result != (eventlog.Result{Position: 100, Revision: 100}) {
			t.Errorf("sent again: %v, %v", result, err)
		}
	}
}

// A process that has seen what a standby lacked does not go on as if it had not.
func TestALogThatLostItsEndIsNoticed(t *testing.T) {
	url := pgtest.Database(t)
	log := open(t, url)
	result, err := log.Append(t.Context(), eventlog.Append{Stream: "s", Events: logtest.Events("s", 5)})
	if err != nil {
		t.Fatal(err)
	}
	run(t, url, "DELETE FROM events WHERE position > 3; UPDATE log_head SET pos = 3")
	if _, err := log.Append(t.Context(), eventlog.Append{Stream: "t", Events: logtest.Events("t", 1)}); !errors.Is(err, postgres.ErrRewound) {
		t.Errorf("append: %v", err)
	}
	for page, err := range log.Follow(t.Context(), result.Position, nil, 10) {
		if err != nil {
			if !errors.Is(err, postgres.ErrRewound) {
				t.Error(err)
			}
			return
		}
		if len(page.Events) > 0 {
			t.Errorf("got %v", page.Events)
		}
	}
	t.Error("following ended without an error")
}

// lock takes the log's lock as a writer does.
func lock(t *testing.T, url string) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url+"&search_path=cleversender_log&application_name=cleversender_log%20writer")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(context.Background()) })
	for _, text := range []string{"BEGIN", "SELECT pos FROM log_head FOR UPDATE"} {
		if _, err := conn.Exec(t.Context(), text); err != nil {
			t.Fatal(err)
		}
	}
	return conn
}

// A process that stopped while it had the lock is put out of the way; one that is at work is not.
func TestAStoppedWriterIsEvicted(t *testing.T) {
	for name, works := range map[string]bool{"stopped": false, "at work": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			url := pgtest.Database(t)
			log := open(t, url)
			holder := lock(t, url)
			done := make(chan error)
			go func() {
				_, err := log.Append(t.Context(), eventlog.Append{Stream: "s", Events: logtest.Events("s", 1)})
				done <- err
			}()
			if works {
				if _, err := holder.Exec(t.Context(), "SELECT pg_sleep(3); COMMIT"); err != nil {
					t.Errorf("who was at work: %v", err)
				}
			}
			if err := <-done; err != nil {
				t.Error(err)
			}
			if err := holder.Ping(t.Context()); (err == nil) != works {
				t.Errorf("the other's connection: %v", err)
			}
		})
	}
}
