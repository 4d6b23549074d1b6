package group

import (
	"sync"

	"github.com/cleversender/cleversender/adapters/eventlog"
	"github.com/cleversender/cleversender/domain/event"
)

// TailEvents is how many of the newest events are to stay in memory.
const TailEvents = 4096

const tailBytes = 2 << 20

// Tail is the end of the log in memory, so that followers there need no
// database. Its slice is only ever appended to, or replaced: what a follower
// was given stays as it was.
type Tail struct {
	Known eventlog.Known // set before the first push

	keep   int // events to keep
	mu     sync.Mutex
	events []event.Stored
	bytes  int
	head   event.Position // of the last event of the log
	grown  chan struct{}  // closed when head moves, or the log fails
	failed error          // why nobody can follow any more

	since event.Position            // from here on last is complete
	last  map[string]event.Position // of each type that was pushed, its newest event

	strange event.Position // the newest event that was pushed and is not Known
}

// NewTail makes the tail of an empty log, which keeps at least that many events.
func NewTail(keep int) *Tail {
	return &Tail{keep: keep, grown: make(chan struct{}), last: map[string]event.Position{}}
}

// Push adds what has just been committed, but for what it has already. It
// takes nothing, and reports false, when events are missing before these.
func (t *Tail) Push(events []event.Stored) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	for len(events) > 0 && events[0].Position <= t.head {
		events = events[1:]
	}
	if len(events) == 0 {
		return true
	}
	if events[0].Position != t.head+1 {
		return false
	}
	t.events = append(t.events, events...)
	for i := range events {
		t.bytes += size(&events[i])
		t.last[events[i].Type] = events[i].Position
		if t.Known.Strange(events[i].Type, events[i].Version) {
			t.strange = events[i].Position
		}
	}
	if len(t.events) > 2*t.keep || t.bytes > 2*tailBytes {
		t.trim()
	}
	t.head = events[len(events)-1].Position
	t.wake()
	return true
}

func (t *Tail) wake() {
	close(t.grown)
	t.grown = make(chan struct{})
}

// Restart says that the log goes as far as head. Unless that was known, what
// the tail holds is not its end, and is forgotten.
func (t *Tail) Restart(head event.Position) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if head <= t.head {
		return
	}
	t.events, t.bytes, t.head = nil, 0, head
	t.since, t.last = head, map[string]event.Position{}
	t.wake()
}

// Fail ends all followers with an error, those to come included.
func (t *Tail) Fail(err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.failed = err
	t.wake()
}

// trim keeps the newest, in a slice of its own that has room until the next trim.
func (t *Tail) trim() {
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

// Position is that of the last event.
func (t *Tail) Position() event.Position {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.head
}

// nothing reports that no event of these types follows after, for sure: it
// saves who follows a few rare types from reading what others append by the million.
func (t *Tail) nothing(after event.Position, types map[string]bool) bool {
	if types == nil || after < t.since || t.strange > after {
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
func (t *Tail) page(after event.Position, types map[string]bool, batch int) (page eventlog.Page, grown <-chan struct{}, ok bool, err error) {
	t.mu.Lock()
	events, head, grown, nothing, err := t.events, t.head, t.grown, t.nothing(after, types), t.failed
	known := t.Known
	if t.strange <= after {
		known = nil // spares looking for what is not there
	}
	t.mu.Unlock()
	if err != nil {
		return eventlog.Page{}, grown, true, err
	}
	if after >= head {
		return eventlog.Page{Next: after}, grown, true, nil
	}
	if nothing {
		return eventlog.Page{Next: head}, grown, true, nil
	}
	missing := uint64(head - after)
	if missing > uint64(len(events)) {
		return eventlog.Page{}, grown, false, nil
	}
	events = events[len(events)-int(missing):]
	events = events[:min(batch, len(events)):min(batch, len(events))]
	page.Next = events[len(events)-1].Position
	if types == nil {
		page.Events = events
		return page, grown, true, nil
	}
	passes := func(e *event.Stored) bool { return types[e.Type] || known.Strange(e.Type, e.Version) }
	n := 0
	for i := range events {
		if passes(&events[i]) {
			n++
		}
	}
	page.Events = make([]event.Stored, 0, n)
	for i := range events {
		if passes(&events[i]) {
			page.Events = append(page.Events, events[i])
		}
	}
	return page, grown, true, nil
}
