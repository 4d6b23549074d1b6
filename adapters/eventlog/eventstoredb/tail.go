package eventstoredb

import (
	"slices"
	"sync"

	"github.com/cleversender/cleversender/adapters/eventlog"
	"github.com/cleversender/cleversender/domain/event"
)

const (
	tailEvents = 4096 // of the newest that are to stay in memory
	tailBytes  = 2 << 20
)

// tail is the end of the log in memory, for all followers there. Its slice is
// only ever appended to, or replaced: what a follower was given stays as it was.
type tail struct {
	keep  int
	known eventlog.Known

	mu      sync.Mutex
	running bool
	failed  error // why it does not run any more
	events  []event.Stored
	bytes   int
	since   event.Position // all events behind it, as far as head, are there
	head    event.Position
	grown   chan struct{} // closed when head moves, or the tail fails
}

func newTail() *tail { return &tail{keep: tailEvents, grown: make(chan struct{})} }

// start empties the tail and has it begin at head; it reports false when it runs.
func (t *tail) start(head event.Position) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.running {
		return false
	}
	t.running, t.failed = true, nil
	t.events, t.bytes, t.since, t.head = nil, 0, head, head
	return true
}

func (t *tail) runs() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.running
}

// fail ends all followers with an error, until the tail is started again.
func (t *tail) fail(err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.running, t.failed = false, err
	t.wake()
}

func (t *tail) wake() {
	close(t.grown)
	t.grown = make(chan struct{})
}

// push adds what has arrived.
func (t *tail) push(events []event.Stored) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(events) == 0 {
		return
	}
	t.events = append(t.events, events...)
	for i := range events {
		t.bytes += weight(&events[i])
	}
	t.head = events[len(events)-1].Position
	if len(t.events) > 2*t.keep || t.bytes > 2*tailBytes {
		t.trim()
	}
	t.wake()
}

func weight(e *event.Stored) int { return len(e.Data) + len(e.Stream) + 200 }

// trim keeps the newest, in a slice of its own.
func (t *tail) trim() {
	from, bytes := len(t.events), 0
	for from > 0 && len(t.events)-from < t.keep {
		n := weight(&t.events[from-1])
		if bytes+n > tailBytes {
			break
		}
		from, bytes = from-1, bytes+n
	}
	if from > 0 {
		t.since = t.events[from-1].Position
	}
	t.events, t.bytes = slices.Clone(t.events[from:]), bytes
}

// bounds is where the tail begins and ends.
func (t *tail) bounds() (since, head event.Position) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.since, t.head
}

// page is what follows after; ok is false when that is not in memory. grown is
// closed once there is more than page.Next.
func (t *tail) page(after event.Position, types map[string]bool, batch int) (page eventlog.Page, grown <-chan struct{}, ok bool, err error) {
	t.mu.Lock()
	events, since, head, grown, err := t.events, t.since, t.head, t.grown, t.failed
	t.mu.Unlock()
	switch {
	case err != nil:
		return page, grown, false, err
	case after >= head:
		return eventlog.Page{Next: after}, grown, true, nil
	case t.known == nil && types != nil && len(types) == 0: // nothing is missed
		return eventlog.Page{Next: head}, grown, true, nil
	case after < since:
		return page, grown, false, nil
	}
	first, _ := slices.BinarySearchFunc(events, after+1, func(e event.Stored, p event.Position) int {
		if e.Position < p {
			return -1
		}
		return 1
	})
	events = events[first:min(first+batch, len(events)):min(first+batch, len(events))]
	page.Next = events[len(events)-1].Position
	if types == nil {
		page.Events = events
		return page, grown, true, nil
	}
	for i := range events {
		if types[events[i].Type] || t.known.Strange(events[i].Type, events[i].Version) {
			page.Events = append(page.Events, events[i])
		}
	}
	return page, grown, true, nil
}
