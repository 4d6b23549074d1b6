package group

import (
	"testing"

	"github.com/cleversender/cleversender/adapters/eventlog/logtest"
	"github.com/cleversender/cleversender/domain/event"
)

// The tail keeps what it should, and no more than twice that, in number and in bytes.
func TestTheTailIsBounded(t *testing.T) {
	for name, test := range map[string]struct {
		data, least, most int // bytes an event; events kept
	}{
		"small events": {10, 100, 200},
		"large events": {tailBytes / 10, 9, 20},
		"huge events":  {3 * tailBytes, 0, 1},
	} {
		t.Run(name, func(t *testing.T) {
			tail := NewTail(100)
			data := make([]byte, test.data)
			for n := range 1000 {
				e := logtest.Events("x", 1)
				e[0].Data, e[0].Position = data, event.Position(n+1)
				tail.Push(e)
				kept := len(tail.events)
				if kept > test.most || kept < min(test.least, n+1) {
					t.Fatalf("%d events kept after %d", kept, n+1)
				}
				if last := tail.Position(); last != event.Position(n+1) {
					t.Fatalf("head %d after %d", last, n+1)
				}
			}
		})
	}
}

// Who follows a type that nobody appends is at the head at once; what was
// there before the tail began is never skipped.
func TestTheTailKnowsWhatDidNotHappen(t *testing.T) {
	tail := NewTail(2) // most of what is pushed has left memory
	tail.Restart(10)
	for n := 11; n <= 20; n++ {
		e := logtest.Events("x", 1)
		e[0].Type, e[0].Position = "often", event.Position(n)
		tail.Push(e)
	}
	rare := map[string]bool{"rare": true}
	if page, _, ok, _ := tail.page(10, rare, 5); !ok || page.Next != 20 || len(page.Events) != 0 {
		t.Errorf("after 10: %+v, %v; want to be at 20 with nothing", page, ok)
	}
	if _, _, ok, _ := tail.page(9, rare, 5); ok {
		t.Error("event 10 was skipped, which may be one of these")
	}
	if _, _, ok, _ := tail.page(10, map[string]bool{"rare": true, "often": true}, 5); ok {
		t.Error("events that have left memory were skipped")
	}
}

// The tail takes what follows it, leaves out what it has, and refuses what
// comes after a gap.
func TestTheTailHasNoGap(t *testing.T) {
	tail := NewTail(100)
	for _, push := range []struct {
		from, to event.Position
		ok       bool
		head     event.Position
	}{
		{1, 3, true, 3}, {5, 6, false, 3}, {2, 5, true, 5}, {1, 4, true, 5}, {6, 6, true, 6},
	} {
		events := logtest.Events("x", int(push.to-push.from)+1)
		for i := range events {
			events[i].Position = push.from + event.Position(i)
		}
		if ok := tail.Push(events); ok != push.ok || tail.Position() != push.head {
			t.Errorf("%d to %d: %v, now at %d", push.from, push.to, ok, tail.Position())
		}
	}
	page, _, _, _ := tail.page(0, nil, 100)
	for i, e := range page.Events {
		if e.Position != event.Position(i+1) {
			t.Errorf("event %d is at %d", i, e.Position)
		}
	}
	if len(page.Events) != 6 {
		t.Errorf("%d events", len(page.Events))
	}
}
