package eventlog_test

import (
	"testing"

	"github.com/cleversender/cleversender/adapters/eventlog"
	"github.com/cleversender/cleversender/adapters/eventlog/logtest"
	"github.com/cleversender/cleversender/adapters/eventlog/memory"
	"github.com/cleversender/cleversender/domain/event"
)

// Count counts what is asked for, up to the head, and does not wait for more.
func TestCount(t *testing.T) {
	log := memory.New()
	if n, err := eventlog.Count(t.Context(), log, 0, nil); n != 0 || err != nil {
		t.Errorf("of nothing: %d, %v", n, err)
	}
	events := logtest.Events("s", 12)
	events[3].Type = "other.happened"
	if _, err := log.Append(t.Context(), eventlog.Append{Stream: "s", Events: events}); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		after event.Position
		types []string
		want  int
	}{
		{0, nil, 12}, {5, nil, 7}, {12, nil, 0}, {99, nil, 0}, {0, []string{"other.happened"}, 1}, {4, []string{"other.happened"}, 0}, {0, []string{}, 0},
	} {
		if n, err := eventlog.Count(t.Context(), log, c.after, c.types); n != c.want || err != nil {
			t.Errorf("after %d, %q: %d, %v", c.after, c.types, n, err)
		}
	}
}
