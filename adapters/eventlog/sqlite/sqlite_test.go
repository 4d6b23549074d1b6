package sqlite_test

import (
	"path/filepath"
	"testing"

	"github.com/cleversender/cleversender/adapters/eventlog"
	"github.com/cleversender/cleversender/adapters/eventlog/logtest"
	"github.com/cleversender/cleversender/adapters/eventlog/sqlite"
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
		Open:    func(t testing.TB, dir string) eventlog.Log { return open(t, dir) },
		Durable: true,
	})
}

func TestItKeepsThemWhenFollowersReadFromTheDatabase(t *testing.T) {
	logtest.Run(t, logtest.Adapter{
		Open:    func(t testing.TB, dir string) eventlog.Log { return open(t, dir, sqlite.KeepTail(0)) },
		Durable: true,
	})
}
