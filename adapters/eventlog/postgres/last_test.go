package postgres_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/cleversender/cleversender/adapters/eventlog"
	"github.com/cleversender/cleversender/adapters/eventlog/logtest"
	"github.com/cleversender/cleversender/adapters/eventlog/postgres"
	"github.com/cleversender/cleversender/adapters/pgtest"
	"github.com/cleversender/cleversender/domain"
	"github.com/cleversender/cleversender/domain/event"
)

func appendOne(t *testing.T, log *postgres.Log, expect uint64) {
	t.Helper()
	result, err := log.Append(t.Context(), eventlog.Append{Stream: "s", Expect: expect, Events: logtest.Events(fmt.Sprint("at ", expect), 1)})
	if err != nil || result.Revision != expect+1 || result.Position != event.Position(expect+1) {
		t.Fatalf("append at %d: %v, %v", expect, result, err)
	}
}

// Who writes alone asks nothing before an append, until somebody else has
// written; no conflict is decided from memory that has become wrong.
func TestAloneNothingIsAsked(t *testing.T) {
	url := pgtest.Database(t)
	p := newProxy(t, url, "", "SELECT 1\x00") // the answer to a question
	one, two := open(t, p.url), open(t, url)
	for at := range uint64(3) {
		appendOne(t, one, at)
	}
	p.cuts.Store(1)
	for at := uint64(3); at < 10; at++ {
		appendOne(t, one, at)
	}
	if p.cuts.Load() != 1 {
		t.Fatal("it asked")
	}
	p.cuts.Store(0)
	appendOne(t, one, 9) // the same events again
	p.cuts.Store(1)
	appendOne(t, two, 10) // from here on memory is wrong
	appendOne(t, one, 11)
	if p.cuts.Load() == 1 {
		t.Fatal("it did not ask")
	}
	for at := uint64(12); at < 15; at++ {
		appendOne(t, one, at)
	}
	appendOne(t, two, 15)
	late := eventlog.Append{Stream: "s", Expect: 15, Events: logtest.Events("late", 1)}
	if _, err := one.Append(t.Context(), late); !errors.Is(err, domain.ErrConflict) {
		t.Fatalf("late: %v", err)
	}
	appendOne(t, one, 16)
	newWatcher(t).until(t.Context(), one, 10, 17)
}

// Who shares a log with another writer asks first, and is not turned away.
func TestWhoIsNotAloneAsksFirst(t *testing.T) {
	url := pgtest.Database(t)
	p := newProxy(t, url, "", "overtaken")
	p.cuts.Store(1)
	logs := []*postgres.Log{open(t, p.url), open(t, url)}
	for at := range uint64(20) {
		events := logtest.Events(fmt.Sprint("at ", at), 1)
		result, err := logs[at%2].Append(t.Context(), eventlog.Append{Stream: fmt.Sprint("s", at%2), Expect: at / 2, Events: events})
		if err != nil || result.Position != event.Position(at+1) {
			t.Fatalf("append at %d: %v, %v", at, result, err)
		}
		if at == 1 {
			p.cuts.Store(1) // the first was alone, and could not know
		}
	}
	if p.cuts.Load() != 1 {
		t.Fatal("it wrote first")
	}
}
