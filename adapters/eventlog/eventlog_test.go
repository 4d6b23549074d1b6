package eventlog_test

import (
	"errors"
	"testing"

	"github.com/cleversender/cleversender/adapters/eventlog"
	"github.com/cleversender/cleversender/adapters/eventlog/logtest"
	"github.com/cleversender/cleversender/domain"
)

// What of an append is written depends on what follows the place it is meant for.
func TestSettle(t *testing.T) {
	a, b, c := logtest.ID(1), logtest.ID(2), logtest.ID(3)
	for name, test := range map[string]struct {
		length   uint64
		held     []domain.ID
		known    int
		conflict bool
	}{
		"the stream ends there":             {length: 4},
		"the stream is shorter":             {length: 3, conflict: true},
		"the same events follow":            {length: 6, held: []domain.ID{a, b}, known: 2},
		"the first of them follows":         {length: 5, held: []domain.ID{a}, known: 1},
		"another event follows":             {length: 5, held: []domain.ID{c}, conflict: true},
		"another follows the first of them": {length: 6, held: []domain.ID{a, c}, conflict: true},
		"they follow in another order":      {length: 6, held: []domain.ID{b, a}, conflict: true},
	} {
		t.Run(name, func(t *testing.T) {
			events := logtest.Events("x", 2)
			events[0].ID, events[1].ID = a, b
			known, err := eventlog.Append{Stream: "s", Expect: 4, Events: events}.Settle(test.length, test.held)
			if known != test.known || errors.Is(err, domain.ErrConflict) != test.conflict {
				t.Errorf("known %d, error %v", known, err)
			}
		})
	}
}
