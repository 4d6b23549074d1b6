package postgres_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/cleversender/cleversender/adapters/eventlog"
	"github.com/cleversender/cleversender/adapters/eventlog/logtest"
	"github.com/cleversender/cleversender/adapters/eventlog/postgres"
	"github.com/cleversender/cleversender/adapters/pgtest"
	"github.com/cleversender/cleversender/domain"
)

func open(t testing.TB, url string, options ...postgres.Option) *postgres.Log {
	t.Helper()
	log, err := postgres.Open(t.Context(), url, options...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = log.Close() })
	return log
}

// adapter keeps a database for each folder.
func adapter(options ...postgres.Option) logtest.Adapter {
	var urls sync.Map
	opened := func(t testing.TB, dir string, options ...postgres.Option) eventlog.Log {
		url, ok := urls.Load(dir)
		if !ok {
			url = pgtest.Database(t)
			urls.Store(dir, url)
		}
		return open(t, url.(string), options...)
	}
	return logtest.Adapter{
		Open: func(t testing.TB, dir string) eventlog.Log { return opened(t, dir, options...) },
		Knowing: func(t testing.TB, dir string, known eventlog.Known) eventlog.Log {
			return opened(t, dir, append(slices.Clone(options), postgres.Knows(known))...)
		},
		Durable: true,
	}
}

func TestItKeepsThePromisesOfALog(t *testing.T) { logtest.Run(t, adapter()) }

// With a short memory followers read from the database, or from both.
func TestItKeepsThemWithAShortMemory(t *testing.T) { logtest.Run(t, adapter(postgres.KeepTail(1))) }

// run runs SQL as an operator would, in the log's schema.
func run(t testing.TB, url, text string) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url+"&search_path=cleversender_log")
	if err == nil {
		_, err = conn.Exec(t.Context(), text)
		err = errors.Join(err, conn.Close(t.Context()))
	}
	if err != nil {
		t.Fatal(err)
	}
}

// Nodes that start together on an empty database all come up, with one log.
func TestManyMayOpenANewLogAtOnce(t *testing.T) {
	url := pgtest.Database(t)
	var wg sync.WaitGroup
	for i := range 5 {
		wg.Go(func() {
			log, err := postgres.Open(t.Context(), url)
			if err != nil {
				t.Error(err)
				return
			}
			defer func() { _ = log.Close() }()
			name := fmt.Sprint("s", i)
			if _, err := log.Append(t.Context(), eventlog.Append{Stream: name, Events: logtest.Events(name, 2)}); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if head, err := open(t, url).Head(t.Context()); head != 10 || err != nil {
		t.Errorf("head %d, error %v", head, err)
	}
}

// One database holds several logs, which know nothing of each other.
func TestEachSchemaIsALog(t *testing.T) {
	url := pgtest.Database(t)
	one, two := open(t, url), open(t, url+"&schema=another_log")
	if _, err := one.Append(t.Context(), eventlog.Append{Stream: "s", Events: logtest.Events("s", 1)}); err != nil {
		t.Fatal(err)
	}
	if head, err := two.Head(t.Context()); head != 0 || err != nil {
		t.Errorf("head %d, error %v", head, err)
	}
}

func TestALogOfANewerSchemaIsRefused(t *testing.T) {
	url := pgtest.Database(t)
	open(t, url)
	run(t, url, "INSERT INTO goose_db_version (version_id, is_applied) VALUES (999, true)")
	_, err := postgres.Open(t.Context(), url)
	var refusal domain.Refusal
	if !errors.As(err, &refusal) || refusal.Code != "eventlog_newer" {
		t.Errorf("error %v", err)
	}
}

// A URL that would make the log less than it promises is an error, and says nothing secret.
func TestURLsThatAreRefused(t *testing.T) {
	url := pgtest.Database(t)
	for _, bad := range []string{
		url + "&synchronous_commit=off", url + "&synchronous_commit=local", url + "&schema=", url + "&schema=Log", url + "&schema=a;b",
		"postgres://someone:secret@127.0.0.1:1/x", "postgres://someone:secret@127.0.0.1:port/x",
	} {
		if log, err := postgres.Open(t.Context(), bad); err == nil || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: error %v", bad, err)
			_ = log.Close()
		}
	}
	open(t, url+"&synchronous_commit=remote_apply")
}

// A name that PostgreSQL cannot store fails its own append, and no other.
func TestANameThatIsNoTextFailsAlone(t *testing.T) {
	log := open(t, pgtest.Database(t))
	odd := logtest.Events("odd", 1)
	odd[0].Type = "\xff"
	_, errs := log.AppendBulk(t.Context(), []eventlog.Append{
		{Stream: "a\x00b", Events: logtest.Events("a", 1)}, {Stream: "b", Events: odd}, {Stream: "c", Events: logtest.Events("c", 1)},
	})
	if errs[0] == nil || errs[1] == nil || errs[2] != nil {
		t.Errorf("errors %v", errs)
	}
	for range log.ReadStream(t.Context(), "a\x00b", 0, 1) {
		t.Error("there is such a stream")
	}
}

func TestTheLogIsReadWithPlainSQL(t *testing.T) {
	url := pgtest.Database(t)
	log := open(t, url)
	for _, from := range []int{0, 2} {
		if _, err := log.Append(t.Context(), eventlog.Append{
			Stream: "list-1", Expect: uint64(from), Events: logtest.Events("list-1", 4)[from : from+2],
		}); err != nil {
			t.Fatal(err)
		}
	}
	run(t, url, `DO $$ BEGIN
		ASSERT (SELECT string_agg(format('%s %s %s %s', position, revision, type, data::json->>'n'), ',' ORDER BY revision) FROM log WHERE stream = 'list-1')
			= '1 1 thing.happened 0,2 2 thing.happened 1,3 3 thing.happened 2,4 4 thing.happened 3';
	END $$`)
}
