package outbox

import (
	"context"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/cleversender/cleversender/adapters/sending/again"
	"github.com/cleversender/cleversender/domain"
	"github.com/cleversender/cleversender/domain/delivery"
)

// Outbox is one worker. Several may share a log, in one process or many.
type Outbox struct {
	o       Options
	metrics metrics
	worker  domain.ID // of this run

	mu    sync.Mutex // of the next two
	queue queue
	gate  gate
	wake  chan struct{} // one of them has changed
	begun bool

	halt    sync.Once
	stop    chan struct{}   // closed by Stop: begin nothing new
	ended   chan struct{}   // closed when Run returns
	wire    context.Context // transmissions live in it; Stop ends it when its time runs out
	breakup context.CancelFunc
}

// New makes a worker; Run makes it work.
func New(o Options) *Outbox {
	wire, breakup := context.WithCancel(context.Background())
	return &Outbox{
		o: o.withDefaults(), metrics: newMetrics(), worker: newID(), wake: make(chan struct{}, 1),
		stop: make(chan struct{}), ended: make(chan struct{}), wire: wire, breakup: breakup,
	}
}

// Run works until Stop, or until ctx ends: that breaks off what is under way,
// as a crash would. It is called once. An error says that it cannot go on.
func (w *Outbox) Run(ctx context.Context) error {
	w.mu.Lock()
	w.begun = true
	w.mu.Unlock()
	defer close(w.ended)
	defer w.breakup()
	defer context.AfterFunc(ctx, w.breakup)()
	following, unfollow := context.WithCancel(ctx)
	defer unfollow()
	select {
	case <-w.stop:
		return nil
	default:
	}
	go func() {
		select {
		case <-w.stop:
			unfollow()
		case <-following.Done():
		}
	}()
	var working sync.WaitGroup
	working.Go(func() { w.dispatch(following, ctx) })
	working.Go(func() { w.watch(following) })
	err := w.follow(following)
	unfollow()
	working.Wait()
	return err
}

// Stop lets what is under way end and be recorded, and returns when Run does.
// When ctx ends first, transmissions are broken off, and what they were about is
// unknown; Stop then returns ctx's error at once, and Run soon. After Stop, a
// Run that had not begun ends at once.
func (w *Outbox) Stop(ctx context.Context) error {
	w.halt.Do(func() { close(w.stop) })
	w.mu.Lock()
	begun := w.begun
	w.mu.Unlock()
	if !begun {
		return nil
	}
	select {
	case <-w.ended:
		return nil
	case <-ctx.Done():
		w.breakup()
		return ctx.Err()
	}
}

// put gives a message its turn when it is due.
func (w *Outbox) put(it item) {
	w.mu.Lock()
	w.queue.put(it)
	w.mu.Unlock()
	w.changed()
}

// has reports whether a message waits for its turn here, or has it.
func (w *Outbox) has(id domain.ID) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.queue.has(id)
}

func (w *Outbox) changed() {
	select {
	case w.wake <- struct{}{}:
	default: // it will look
	}
}

// heard tells the gate of a reply.
func (w *Outbox) heard(reply delivery.Reply, before bool) {
	w.mu.Lock()
	w.gate.heard(reply, before, time.Now())
	w.mu.Unlock()
	w.changed()
}

// dispatch gives messages their turn, as many at once as there are
// connections, until ctx ends; it returns when those under way have ended.
func (w *Outbox) dispatch(ctx, hard context.Context) {
	var working sync.WaitGroup
	defer working.Wait()
	slots := make(chan struct{}, w.o.Connections)
	for {
		select {
		case slots <- struct{}{}:
		case <-ctx.Done():
			return
		}
		it, ok := w.next(ctx)
		if !ok {
			return
		}
		working.Go(func() {
			defer func() { <-slots }()
			if again, ok := w.deliver(hard, it); ok {
				w.put(again)
			}
			w.mu.Lock()
			w.queue.done(it)
			w.mu.Unlock()
		})
	}
}

// next waits for the message whose turn it is.
func (w *Outbox) next(ctx context.Context) (item, bool) {
	for {
		now := time.Now()
		w.mu.Lock()
		wait := time.Hour
		if first, ok := w.queue.first(); ok {
			wait = max(first.due.Sub(now), w.gate.wait(now))
		}
		if wait <= 0 && ctx.Err() == nil {
			it := w.queue.take()
			w.gate.pass(now)
			w.mu.Unlock()
			return it, true
		}
		w.mu.Unlock()
		timer := time.NewTimer(wait)
		select {
		case <-ctx.Done():
		case <-w.wake:
		case <-timer.C:
		}
		timer.Stop()
		if ctx.Err() != nil {
			return item{}, false
		}
	}
}

// newID is random, and later ones sort later.
func newID() domain.ID { return domain.ID(uuid.Must(uuid.NewV7())) }

// persist asks until it is done, refused or overtaken, or until ctx ends.
func (w *Outbox) persist(ctx context.Context, what string, ask func() error) error {
	return again.Until(ctx, ask, func(attempt int, err error) {
		w.metrics.faults.Inc()
		w.o.Logger.Warn("outbox: trying again", "step", what, "attempt", attempt, "error", err)
	})
}
