package memory_test

import (
	"testing"

	"github.com/cleversender/cleversender/adapters/eventlog"
	"github.com/cleversender/cleversender/adapters/eventlog/logtest"
	"github.com/cleversender/cleversender/adapters/eventlog/memory"
)

func TestItKeepsThePromisesOfALog(t *testing.T) {
	logtest.Run(t, logtest.Adapter{
		Open: func(testing.TB, string) eventlog.Log { return memory.New() },
		Knowing: func(_ testing.TB, _ string, known eventlog.Known) eventlog.Log {
			l := memory.New()
			l.Known = known
			return l
		},
	})
}
