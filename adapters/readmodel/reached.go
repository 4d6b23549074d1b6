package readmodel

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/cleversender/cleversender/domain/event"
)

// reached is how far a serving model has come, for those who wait for it.
type reached struct {
	mu      sync.Mutex
	at      event.Position
	stopped error         // it will come no further
	moved   chan struct{} // closed at the next change; nil: nobody waits
	asked   chan struct{} // closed when somebody begins to wait; nil: nobody rests
	edition uint64        // grows whenever rows may have changed
	waits   func()        // called when somebody begins to wait; nil: nobody asks
}

func (r *reached) set(at event.Position, changed bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.at = at
	if changed {
		r.edition++
	}
	r.wake()
}

func (r *reached) stop(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.stopped = err
	r.wake()
}

// goOn: what has stopped goes on elsewhere.
func (r *reached) goOn() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.stopped = nil
}

func (r *reached) wake() {
	if r.moved != nil {
		close(r.moved)
		r.moved = nil
	}
}

func (r *reached) now() (event.Position, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.at, r.stopped
}

func (r *reached) changes() uint64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.edition
}

// awaited: somebody waits.
func (r *reached) awaited() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.moved != nil
}

// rest lasts for d, or until somebody waits.
func (r *reached) rest(ctx context.Context, d time.Duration) {
	r.mu.Lock()
	if r.moved != nil {
		r.mu.Unlock()
		return
	}
	asked := make(chan struct{})
	r.asked = asked
	r.mu.Unlock()
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-asked:
	case <-t.C:
	case <-ctx.Done():
	}
}

func (r *reached) wait(ctx context.Context, at event.Position) error {
	for {
		r.mu.Lock()
		if r.at >= at {
			r.mu.Unlock()
			return nil
		}
		if r.stopped != nil {
			defer r.mu.Unlock()
			return fmt.Errorf("the projection has stopped at %d: %w", r.at, r.stopped)
		}
		if r.moved == nil {
			r.moved = make(chan struct{})
			if r.waits != nil {
				r.waits()
			}
		}
		if r.asked != nil {
			close(r.asked)
			r.asked = nil
		}
		moved := r.moved
		r.mu.Unlock()
		select {
		case <-moved:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}
