package smtp

import (
	"slices"
	"time"

	"github.com/cleversender/cleversender/domain/delivery"
)

// lane is the goroutine that works for one connection at a time.
type lane struct {
	pool *Pool
	conn *conn         // nil: to be made
	wake chan *request // when idle; nil: go home
	late *time.Timer
	burst
}

// start makes a lane; p.mu is held.
func (p *Pool) start(c *conn, first *request) *lane {
	l := &lane{pool: p, conn: c, wake: make(chan *request, 1), late: time.NewTimer(p.config.Idle)}
	p.lanes++
	p.running.Go(func() {
		if first == nil {
			first = l.wait()
		}
		for r := first; r != nil; {
			r = l.serve(r)
		}
		l.late.Stop()
		if l.conn != nil {
			l.conn.quit()
		}
	})
	return l
}

// submit finds a lane for a request, now or later. false: the pool is closed.
func (p *Pool) submit(r *request) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return false
	}
	if !p.assign(r) {
		p.waiting.push(r)
	}
	return true
}

// putBack is submit for one that waited long enough.
func (p *Pool) putBack(r *request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed || !p.assign(r) {
		p.waiting.pushFront(r)
	}
}

// assign gives a request to the lane that was idle last, or to a new one; p.mu is held.
func (p *Pool) assign(r *request) bool {
	if n := len(p.idle); n > 0 {
		p.idle[n-1].wake <- r
		p.idle = p.idle[:n-1]
		return true
	}
	if p.lanes >= max(p.config.Connections, 1) {
		return false
	}
	p.start(nil, r)
	return true
}

// keep makes an idle lane of a connection, if there is place for one.
func (p *Pool) keep(c *conn) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed || p.lanes >= max(p.config.Connections, 1) {
		go c.quit()
	} else {
		p.idle = append(p.idle, p.start(c, nil))
	}
	if p.closed {
		return ErrClosed
	}
	return nil
}

// take is the next request; nil: l has become idle, or has gone if it has no
// connection to keep.
func (p *Pool) take(l *lane) *request {
	p.mu.Lock()
	defer p.mu.Unlock()
	r := p.waiting.pop()
	switch {
	case r != nil:
	case l.conn == nil || p.closed:
		p.lanes--
		l.wake <- nil
	default:
		p.idle = append(p.idle, l)
	}
	return r
}

// wait is the next request of an idle lane; nil: there is none in time, or the
// pool is closed.
func (l *lane) wait() *request {
	l.late.Reset(l.pool.config.Idle)
	select {
	case r := <-l.wake:
		return r
	case <-l.late.C:
	}
	p := l.pool
	p.mu.Lock()
	if i := slices.Index(p.idle, l); i >= 0 {
		p.idle = slices.Delete(p.idle, i, i+1)
		p.lanes--
		l.wake <- nil
	}
	p.mu.Unlock()
	return <-l.wake
}

// settle answers r and gets the next request. The answer comes second, so that
// a caller who sends one message after the other finds this lane.
func (l *lane) settle(r *request, reply delivery.Reply) *request {
	next := l.pool.take(l)
	r.reply <- reply
	if next == nil {
		return l.wait()
	}
	return next
}
