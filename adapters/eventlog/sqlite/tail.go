package sqlite

import (
	"sync"

	"github.com/cleversender/cleversender/adapters/eventlog"
	"github.com/cleversender/cleversender/domain/event"
)

// The newest events stay in memory, so that followers at the tail need no SQL.
const (
	tailEvents = 4096
	tailBytes  = 2 << 20
)

// KeepTail sets how many of the newest events stay in memory.
func KeepTail(events int) Option { return func(l *Log) { l.keep = events } }

// tail is the end of the log. Its slice is only ever appended to, or
// replaced: what a follower was given stays as it was.
type tail struct {
	keep   int // events to keep
	mu     sync.Mutex
	events []event.Stored
	bytes  int
	head   event.Position // of the last event of the log
	grown  chan struct{}  // closed when head moves

	since event.Position            // from here on last is complete
	last  map[string]event.Position // of each type that was pushed, its newest event
}

func newTail(keep int) *tail {
	return &tail{keep: keep, grown: make(chan struct{}), last: map[string]event.Position{}}
}

// push adds what has just been committed.
func (t *tail) push(events []event.Stored) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.events = append(t.events, events...)
	for i := range events {
		t.bytes += size(&events[i])
		t.last[events[i].Type] = events[i].Position
	}
	if len(t.events) > 2*t.keep || t.bytes > 2*tailBytes {
		t.trim()
	}
	t.head = events[len(events)-1].Position
	close(t.grown)
	t.grown = make(chan struct{})
}

// restart forgets what it holds: the log ends at head, though not by what was pushed.
func (t *tail) restart(head event.Position) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.events, t.bytes, t.head = nil, 0, head
	t.since, t.last = head, map[string]event.Position{}
	close(t.grown)
	t.grown = make(chan struct{})
}

// trim keeps the newest, in a slice of its own that has room until the next trim.
func (t *tail) trim() {
	from, bytes := len(t.events), 0
	for from > 0 && len(t.events)-from < t.keep {
		n := size(&t.events[from-1])
		if bytes+n > tailBytes {
			break
		}
		from, bytes = from-1, bytes+n
	}
	kept := t.events[from:]
	t.events, t.bytes = append(make([]event.Stored, 0, len(t.events)+len(kept)/4), kept...), bytes
}

func size(e *event.Stored) int { return len(e.Data) + len(e.Stream) + 200 }

func (t *tail) position() event.Position {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.head
}

// nothing reports that no event of these types follows after, for sure: it
// saves who follows a few rare types from reading what others append by the million.
func (t *tail) nothing(after event.Position, types map[string]bool) bool {
	if types == nil || after < t.since {
		return false
	}
	for name := range types {
		if t.last[name] > after {
			return false
		}
	}
	return true
}

// page is what follows after, at most batch positions; ok is false when that
// has left memory. grown is closed once there is more than page.Next.
func (t *tail) page(after event.Position, types map[string]bool, batch int) (page eventlog.Page, grown <-chan struct{}, ok bool) {
	t.mu.Lock()
	events, head, grown, nothing := t.events, t.head, t.grown, t.nothing(after, types)
	t.mu.Unlock()
	if after >= head {
		return eventlog.Page{Next: after}, grown, true
	}
	if nothing {
		return eventlog.Page{Next: head}, grown, true
	}
	missing := uint64(head - after)
	if missing > uint64(len(events)) {
		return eventlog.Page{}, grown, false
	}
	events = events[len(events)-int(missing):]
	events = events[:min(batch, len(events)):min(batch, len(events))]
	page.Next = events[len(events)-1].Position
	if types == nil {
		page.Events = events
		return page, grown, true
	}
	n := 0
	for i := range events {
		if types[events[i].Type] {
			n++
		}
	}
	page.Events = make([]event.Stored, 0, n)
	for i := range events {
		if types[events[i].Type] {
			page.Events = append(page.Events, events[i])
		}
	}
	return page, grown, true
}
