package smtp

import (
	"context"
	"sync/atomic"

	"github.com/cleversender/cleversender/domain/delivery"
)

// request is one message on its way through the pool.
type request struct {
	envelope
	ctx   context.Context
	msg   []byte // the lane's from leaving on, the caller's before
	reply chan delivery.Reply
	state atomic.Int32
	over  atomic.Pointer[conn] // on which its envelope travels
	next  *request             // in the queue
}

// The states of a request. Whoever moves it out of waiting or leaving, the lane
// or the caller whose context ended, has decided whether it may leave.
const (
	waiting  int32 = iota // for a lane, or for the replies to its envelope
	leaving               // its content is being written, its last octet is not
	decided               // its last octet may have left, or the server refused it
	recalled              // the caller has it back; the connection it was on is broken off
)

func (p *Pool) request(ctx context.Context, e envelope, msg []byte) *request {
	r, ok := p.spent.Get().(*request)
	if !ok {
		r = &request{reply: make(chan delivery.Reply, 1)}
	}
	r.ctx, r.envelope, r.msg = ctx, e, msg
	r.state.Store(waiting)
	return r
}

// release takes a request back that no lane knows any more.
func (p *Pool) release(r *request) {
	r.ctx, r.envelope, r.msg, r.next = nil, envelope{}, nil, nil
	r.over.Store(nil)
	p.spent.Put(r)
}

// leave moves the message on, unless it is to stay.
func (r *request) leave(from, to int32) bool {
	return r.ctx.Err() == nil && r.state.CompareAndSwap(from, to)
}

// decide keeps the caller from breaking off a connection because of a message
// that the server has refused.
func (r *request) decide() bool { return r.state.CompareAndSwap(waiting, decided) }

// again readies the message for another connection, unless it is to stay.
func (r *request) again() bool {
	if r.ctx.Err() != nil || r.state.Load() == recalled {
		return false
	}
	return r.state.CompareAndSwap(leaving, waiting) || r.state.CompareAndSwap(decided, waiting) || r.state.Load() == waiting
}

func (r *request) wasRecalled() bool { return r.state.Load() == recalled }

// recall takes r back from the pool. false: the lane's answer is to be waited for.
func (p *Pool) recall(r *request) bool {
	p.mu.Lock()
	queued := p.waiting.remove(r)
	p.mu.Unlock()
	if queued {
		return true
	}
	if r.state.CompareAndSwap(waiting, recalled) {
		// A lane that waits for the reply to the message before sees it afterwards.
		if c := r.over.Load(); c != nil && !c.owed.Load() {
			c.breakOff()
		}
		return true
	}
	if r.state.CompareAndSwap(leaving, recalled) {
		r.over.Load().breakOff()
	}
	return false
}

// queue is requests, first in, first out.
type queue struct{ first, last *request }

func (q *queue) push(r *request) {
	if q.first == nil {
		q.first = r
	} else {
		q.last.next = r
	}
	q.last = r
}

// pushFront puts one back that was popped too early.
func (q *queue) pushFront(r *request) {
	if r.next = q.first; q.first == nil {
		q.last = r
	}
	q.first = r
}

func (q *queue) pop() *request {
	r := q.first
	if r != nil {
		q.first, r.next = r.next, nil
	}
	return r
}

func (q *queue) remove(r *request) bool {
	var before *request
	for at := q.first; at != nil; before, at = at, at.next {
		if at != r {
			continue
		}
		if before == nil {
			q.first = r.next
		} else {
			before.next = r.next
		}
		if q.last == r {
			q.last = before
		}
		r.next = nil
		return true
	}
	return false
}
