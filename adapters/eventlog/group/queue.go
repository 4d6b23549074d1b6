// Package group is what logs share that write the appends which wait together
// in one transaction: the queue, the plan of a transaction, and the tail that
// followers read from memory.
package group

import (
	"context"
	"sync"
	"time"

	"github.com/cleversender/cleversender/adapters/eventlog"
)

// What one transaction takes on before it commits.
const (
	maxEvents = 4096
	maxBytes  = 8 << 20
	maxQueued = 1024 // requests
)

// Commit is one transaction, for metrics.
type Commit struct {
	Appends, Events int // written
	Refused         int // appends that conflicted
	Bytes           int // of data
	Took            time.Duration
}

// Item is an append on its way to the writer, with its events as E: as the
// writer's database takes them, made by the caller, to keep the writer free.
type Item[E any] struct {
	Append  eventlog.Append
	Encoded E
	Result  eventlog.Result
	Err     error
}

// Request is what one caller waits for. Until it is answered it is the writer's.
type Request[E any] struct {
	Items   []*Item[E]
	context context.Context
	events  int
	bytes   int
	done    chan struct{}
}

// Err says why nobody waits for the answer any more; nil: somebody does.
func (r *Request[E]) Err() error { return r.context.Err() }

// Fail gives every append of the request the fault.
func (r *Request[E]) Fail(fault error) {
	for _, it := range r.Items {
		it.Result, it.Err = eventlog.Result{}, fault
	}
}

// Answer lets the caller go on.
func (r *Request[E]) Answer() { close(r.done) }

// Queue is what waits for the one goroutine that writes.
type Queue[E any] struct {
	encode  func(context.Context, *eventlog.Append) (E, error)
	mu      sync.RWMutex // guards waiting against being closed while in use
	closed  bool
	waiting chan *Request[E]
}

// NewQueue makes a queue; encode runs on the goroutine of who appends.
func NewQueue[E any](encode func(context.Context, *eventlog.Append) (E, error)) *Queue[E] {
	return &Queue[E]{encode: encode, waiting: make(chan *Request[E], maxQueued)}
}

// AppendBulk is eventlog.Log's.
func (q *Queue[E]) AppendBulk(ctx context.Context, as []eventlog.Append) ([]eventlog.Result, []error) {
	results, errs := make([]eventlog.Result, len(as)), make([]error, len(as))
	r := q.request(ctx, as, errs)
	err := q.send(ctx, r)
	if err == nil {
		select {
		case <-r.done:
		case <-ctx.Done():
			err = ctx.Err()
		}
	}
	if err != nil {
		for i := range errs {
			errs[i] = err
		}
		return results, errs
	}
	n := 0
	for i := range as {
		if errs[i] == nil { // it is in the request
			results[i], errs[i] = r.Items[n].Result, r.Items[n].Err
			n++
		}
	}
	return results, errs
}

// request holds the appends that can be written; errs says of the others why not.
func (q *Queue[E]) request(ctx context.Context, as []eventlog.Append, errs []error) *Request[E] {
	r := &Request[E]{Items: make([]*Item[E], 0, len(as)), context: ctx, done: make(chan struct{})}
	items := make([]Item[E], len(as))
	for i := range as {
		it := &items[i]
		it.Append = as[i]
		if errs[i] = it.Append.Check(); errs[i] != nil {
			continue
		}
		if it.Encoded, errs[i] = q.encode(ctx, &it.Append); errs[i] != nil {
			continue
		}
		r.Items = append(r.Items, it)
		r.events += len(it.Append.Events)
		for k := range it.Append.Events {
			r.bytes += len(it.Append.Events[k].Data)
		}
	}
	return r
}

func (q *Queue[E]) send(ctx context.Context, r *Request[E]) error {
	q.mu.RLock()
	defer q.mu.RUnlock()
	if q.closed {
		return eventlog.ErrClosed
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	select {
	case q.waiting <- r:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Next waits for a request and returns it with those behind it, as many as a
// transaction takes; none when the queue is closed and empty.
func (q *Queue[E]) Next() []*Request[E] {
	first, ok := <-q.waiting
	if !ok {
		return nil
	}
	group, events, bytes := []*Request[E]{first}, first.events, first.bytes
	for events < maxEvents && bytes < maxBytes {
		select {
		case r, ok := <-q.waiting:
			if ok {
				group, events, bytes = append(group, r), events+r.events, bytes+r.bytes
				continue
			}
		default:
		}
		break
	}
	return group
}

// Close refuses what comes from now on. It reports false when it was closed before.
func (q *Queue[E]) Close() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed {
		return false
	}
	q.closed = true
	close(q.waiting)
	return true
}

// Closed reports whether the queue refuses what comes.
func (q *Queue[E]) Closed() bool {
	q.mu.RLock()
	defer q.mu.RUnlock()
	return q.closed
}
