package recipient

import (
	"context"
	"errors"
	"runtime"
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
	// drafts are its events, for the writer's stream, which holds after events.
	drafts func(writer domain.ID, after uint64) []event.Draft
	done   chan error // buffered: the recorder never waits for who asked
}

// A recorder has a scribe write hits in groups: whatever came while the last
// group was on its way to the disk. Two scribes at once would share the hits, and
// commit twice as often.
type recorder struct {
	hits    chan hit
	quit    chan struct{}
	stopped chan struct{}
	once    sync.Once
}

var (
	errStopped   = errors.New("the recorder of hits has stopped")
	errNoConsent = errors.New("the person does not allow it")
)

func newRecorder(deps Deps) *recorder {
	r := &recorder{hits: make(chan hit, maxGroup), quit: make(chan struct{}), stopped: make(chan struct{})}
	go r.run(&scribe{log: deps.Log, permissions: deps.Permissions, newID: deps.NewID, writers: map[domain.ID]*writer{}})
	return r
}

// record returns once the hit is durable, or not: errNoConsent when the person
// does not allow it.
func (r *recorder) record(ctx context.Context, h hit) error {
	h.done = make(chan error, 1)
	select {
	case r.hits <- h:
	case <-r.quit:
		return errStopped
	case <-ctx.Done():
		return ctx.Err()
	}
	select {
	case err := <-h.done:
		return err
	case <-r.stopped: // it may have been taken just before
		select {
		case err := <-h.done:
			return err
		default:
			return errStopped
		}
	}
}

// close writes what has been taken, and then no more.
func (r *recorder) close() {
	r.once.Do(func() { close(r.quit) })
	<-r.stopped
}

func (r *recorder) run(s *scribe) {
	defer close(r.stopped)
	for {
		select {
		case first := <-r.hits:
			s.write(r.gather(first))
		case <-r.quit:
			for {
				select {
				case first := <-r.hits:
					s.write(r.gather(first))
				default:
					return
				}
			}
		}
	}
}

// gather takes what has come, after whatever else can run has had its turn: a
// request that is in already becomes a hit of this group, and the larger a
// group is, the less a hit costs.
func (r *recorder) gather(first hit) []hit {
	group := []hit{first}
	for range turns {
		runtime.Gosched()
		for len(group) < maxGroup && len(r.hits) > 0 { // nobody else takes any
			group = append(group, <-r.hits)
		}
	}
	return group
}
