package eventstoredb_test

import (
	"slices"
	"testing"

	"github.com/cleversender/cleversender/adapters/eventlog"
	"github.com/cleversender/cleversender/adapters/eventlog/eventstoredb"
	"github.com/cleversender/cleversender/adapters/eventlog/eventstoredb/esdbtest"
	"github.com/cleversender/cleversender/adapters/eventlog/logtest"
)

func open(t testing.TB, url string, options ...eventstoredb.Option) *eventstoredb.Log {
	t.Helper()
	log, err := eventstoredb.Open(t.Context(), url, options...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = log.Close() })
	return log
}

// adapter starts a cluster for each folder that a log is opened in.
func adapter(nodes int, options ...eventstoredb.Option) logtest.Adapter {
	byDir := map[string]*esdbtest.Cluster{}
	opened := func(t testing.TB, dir string, options ...eventstoredb.Option) eventlog.Log {
		if byDir[dir] == nil {
			byDir[dir] = esdbtest.Start(t, nodes, esdbtest.MaxAppendSize(eventstoredb.MaxAppendSize))
		}
		return open(t, byDir[dir].URL(), options...)
	}
	return logtest.Adapter{
		Open: func(t testing.TB, dir string) eventlog.Log { return opened(t, dir, options...) },
		Knowing: func(t testing.TB, dir string, known eventlog.Known) eventlog.Log {
			return opened(t, dir, append(slices.Clone(options), eventstoredb.Knows(known))...)
		},
		Durable: true, Sparse: true,
	}
}

func TestItKeepsThePromisesOfALog(t *testing.T) { logtest.Run(t, adapter(1)) }

// With a short memory followers have subscriptions of their own, or read both.
func TestItKeepsThemWithAShortMemory(t *testing.T) {
	logtest.Run(t, adapter(3, eventstoredb.KeepTail(1)))
}
