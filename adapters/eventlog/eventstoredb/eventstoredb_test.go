package eventstoredb_test

import (
	"testing"

	"github.com/cleversender/cleversender/adapters/eventlog"
	"github.com/cleversender/cleversender/adapters/eventlog/eventstoredb"
	"github.com/cleversender/cleversender/adapters/eventlog/eventstoredb/esdbtest"
	"github.com/cleversender/cleversender/adapters/eventlog/logtest"
)

// enough is what a server has to take so that it takes all that the port promises.
const enough = 4 << 20

func open(t testing.TB, url string, options ...eventstoredb.Option) *eventstoredb.Log {
	t.Helper()
	log, err := eventstoredb.Open(t.Context(), url, options...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = log.Close() })
	return log
}

// clusters starts one for each folder that a log is opened in.
func clusters(nodes int, options ...eventstoredb.Option) func(testing.TB, string) eventlog.Log {
	byDir := map[string]*esdbtest.Cluster{}
	return func(t testing.TB, dir string) eventlog.Log {
		if byDir[dir] == nil {
			byDir[dir] = esdbtest.Start(t, nodes, esdbtest.MaxAppendSize(enough))
		}
		return open(t, byDir[dir].URL(), options...)
	}
}

func TestItKeepsThePromisesOfALog(t *testing.T) {
	logtest.Run(t, logtest.Adapter{Open: clusters(1), Durable: true, Sparse: true})
}

// With a short memory followers have subscriptions of their own, or read both.
func TestItKeepsThemWithAShortMemory(t *testing.T) {
	logtest.Run(t, logtest.Adapter{Open: clusters(3, eventstoredb.KeepTail(1)), Durable: true, Sparse: true})
}
