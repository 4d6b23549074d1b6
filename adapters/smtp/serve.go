package smtp

import (
	"time"

	"github.com/cleversender/cleversender/domain/delivery"
)

// serve takes a request through its transaction (RFC 5321, section 3.3), and
// returns the next.
func (l *lane) serve(r *request) *request {
	if l.conn == nil {
		c, err := l.pool.dial(r.ctx)
		if err != nil {
			return l.settle(r, notSent(err)) // a session turned away says nothing about the message
		}
		l.conn = c
	}
	c := l.conn
	if r.over.Load() != c && r.size <= maxPiece && time.Since(c.proved) < trusted && l.pool.bursts(c) {
		return l.together(r)
	}
	if r.over.Load() != c {
		if reply, stays := c.stays(r); stays {
			return l.settle(r, reply)
		}
		if err := c.propose(r); err != nil {
			return l.lost(r, notSent(err), nil)
		}
	}
	head, refusal, err := c.hear(r)
	if err == nil && head != headContent && !r.decide() {
		err = r.ctx.Err()
	}
	if err == nil && head == headContent {
		err = c.content(r)
	}
	if err != nil && refusal.Code == 0 {
		refusal = notSent(err)
	}
	if err != nil {
		return l.lost(r, refusal, nil)
	}
	return l.finish(r, head, refusal)
}

// finish writes what ends the transaction of r, and with it the envelope of a
// request that waits. refusal is the reply to r, or empty if its content leaves.
func (l *lane) finish(r *request, head head, refusal delivery.Reply) *request {
	c := l.conn
	c.owed.Store(head == headContent)
	next, ends := l.ahead(), len(c.out)
	if next != nil {
		c.out = c.envelope(c.out, next)
	}
	n, broken := c.flush()
	if n < ends {
		c.owed.Store(false)
		if head == headContent {
			refusal = notSent(errLost)
		}
		return l.lost(r, refusal, next)
	}
	reply, err := c.ended(head)
	c.owed.Store(false)
	if head != headContent {
		reply = refusal
	}
	if err != nil || broken != nil {
		return l.lost(r, reply, next)
	}
	if c.proved = time.Now(); next == nil {
		l.retire()
	}
	return l.answer(r, reply, next)
}

// retire says goodbye when the connection has carried what it may.
func (l *lane) retire() {
	if most := l.pool.config.PerConn; most > 0 && l.conn.sent >= most {
		go l.conn.quit()
		l.conn = nil
	}
}

// ahead is a request whose envelope can travel now (RFC 2920, section 3.1).
func (l *lane) ahead() *request {
	c, p := l.conn, l.pool
	if !c.offers.pipelining || p.bursts(c) || p.config.PerConn > 0 && c.sent >= p.config.PerConn {
		return nil
	}
	for {
		p.mu.Lock()
		r := p.waiting.pop()
		p.mu.Unlock()
		if r == nil {
			return nil
		}
		reply, stays := c.stays(r)
		if !stays {
			return r
		}
		r.reply <- reply
	}
}

// lost gives up the connection after r, and next, were tried over it. What was
// not the first over it, and is not at the server, goes over a fresh one.
func (l *lane) lost(r *request, reply delivery.Reply, next *request) *request {
	stale := l.conn.sent > 1
	if next != nil {
		stale = l.conn.sent > 2
	}
	l.conn.breakOff()
	l.conn = nil
	again := reply.Outcome == delivery.NotSent || reply.Outcome == delivery.NotNow && reply.Code == closing
	if !stale || !again || !r.again() {
		return l.answer(r, reply, next)
	}
	if next != nil {
		l.pool.putBack(next)
	}
	return r
}

// answer tells the caller, and gets the next request unless there is one.
func (l *lane) answer(r *request, reply delivery.Reply, next *request) *request {
	if next == nil {
		return l.settle(r, reply)
	}
	r.reply <- reply
	return next
}
