package readmodel

import (
	"context"
	"fmt"
	"sync"

	"github.com/cleversender/cleversender/domain/event"
)

// reached is how far a serving model has come, for those who wait for it.
type reached struct {
	mu      sync.Mutex
	at      event.Position
	stopped error         // it will come no further
	moved   chan struct{} // closed at the next change; nil: nobody waits
}

func (r *reached) set(at event.Position) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.at = at
	r.wake()
}

func (r *reached) stop(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.stopped = err
	r.wake()
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

// awaited reports that somebody waits.
func (r *reached) awaited() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.moved != nil
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
