package recipient

import (
	"errors"
	"runtime"
	"slices"
	"sync"

	"github.com/cleversender/cleversender/domain"
	"github.com/cleversender/cleversender/domain/event"
)

// maxGroup is how many hits are written together at most: far below
// eventlog.MaxAppendBytes, since commands cut what a client says of itself.
const maxGroup = 500

// turns is how often a group lets others go first: an idle machine does not notice.
const turns = 3

// A hit is one thing that a recipient did, on its way into the log.
type hit struct {
	who      Who
	campaign domain.ID
	// allowed is what the person has to allow for it to be written; nil: nothing.
	allowed func(Permission) bool
	drafts  []event.Draft // its events, made for the stream of the campaign at that time
	err     error         // what came of it, once its group is done
}

// A group is the hits that came while the group before was on its way to the disk.
type group struct {
	hits []*hit
	done chan struct{} // closed when each is durable, or is not
}

// A recorder has a scribe write hits in groups. Two scribes at once would share
// the hits, and commit twice as often.
type recorder struct {
	writers *writers

	mu      sync.Mutex
	next    *group
	closed  bool
	begun   chan struct{} // room for one: next is no longer empty
	stopped chan struct{}
}

var (
	errStopped   = errors.New("the recorder of hits has stopped")
	errNoConsent = errors.New("the person does not allow it")
)

func newRecorder(deps Deps) *recorder {
	w := &writers{newID: deps.NewID, now: map[domain.ID]*writer{}}
	r := &recorder{writers: w, next: newGroup(0), begun: make(chan struct{}, 1), stopped: make(chan struct{})}
	go r.run(&scribe{log: deps.Log, permissions: deps.Permissions, writers: w})
	return r
}

func newGroup(size int) *group { return &group{make([]*hit, 0, size), make(chan struct{})} }

// record returns once the hit is durable, or not: errNoConsent when the person
// does not allow it.
func (r *recorder) record(h *hit) error {
	g := r.take(h)
	if g == nil {
		return errStopped
	}
	<-g.done
	return h.err
}

// take is the group that the hit is in; nil when no more are taken.
func (r *recorder) take(h *hit) *group {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return nil
	}
	if r.next.hits = append(r.next.hits, h); len(r.next.hits) == 1 {
		r.begun <- struct{}{}
	}
	return r.next
}

// close writes what has been taken, and then no more.
func (r *recorder) close() {
	r.mu.Lock()
	if !r.closed {
		r.closed = true
		close(r.begun)
	}
	r.mu.Unlock()
	<-r.stopped
}

func (r *recorder) run(s *scribe) {
	defer close(r.stopped)
	for range r.begun {
		g := r.gather()
		for hits := range slices.Chunk(g.hits, maxGroup) {
			s.write(hits)
		}
		close(g.done)
	}
}

// gather takes what has come, after whatever else can run has had its turn: a
// request that is in already becomes a hit of this group, and the larger a
// group is, the less a hit costs.
func (r *recorder) gather() *group {
	for range turns {
		runtime.Gosched()
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	g := r.next
	r.next = newGroup(len(g.hits))
	return g
}
