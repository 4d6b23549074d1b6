package smtp

import (
	"bytes"
	"errors"
	"os"
	"strconv"
	"time"

	"github.com/cleversender/cleversender/domain/delivery"
)

// burst is messages that leave in one write, each whole, RSET behind it: what
// becomes of one is nothing to the next.
type burst struct {
	messages []*request
	ends     []int // of each content, in what is written
}

// stepChunk takes the place of DATA, stepReset comes behind it.
const (
	stepChunk = stepData
	stepReset = stepChunk + 1
)

var (
	// errClosing: the server has said that it closes the connection.
	errClosing = errors.New("the mail server closes the connection")
	// errNoChunks: the server does not know the command that it offered.
	errNoChunks = errors.New("the mail server takes no chunks")
)

// A connection that is gone shows when the first reply is read: too late for a
// burst. So one that was idle for longer than trusted is asked first, and a
// server that broke off in a burst gets no other for as long as distrusted.
const (
	trusted    = 100 * time.Millisecond
	distrusted = time.Hour
)

// bursts: the server takes messages by the burst, and may get them so.
func (p *Pool) bursts(c *conn) bool {
	return c.offers.chunking && c.offers.pipelining && p.config.Burst > 1 && time.Now().UnixNano() >= p.wary.Load()
}

// together writes r, and what waits behind it, before it reads the first reply,
// and returns the next request. A server discards the chunks that it does not
// take (RFC 3030, section 2).
func (l *lane) together(r *request) *request {
	c := l.conn
	if c.in.Buffered() > 0 { // nobody asked
		c.sent++
		return l.lost(r, notSent(errNonsense), nil)
	}
	l.messages, l.ends, c.out = l.messages[:0], l.ends[:0], c.out[:0]
	if reply, stays := l.join(r); stays {
		return l.settle(r, reply)
	}
	for r := l.another(); r != nil; r = l.another() {
		if reply, stays := l.join(r); stays {
			r.reply <- reply
		}
	}
	n, _ := c.flush() // how far it got is all that counts
	var reply delivery.Reply
	for i, last := 0, len(l.messages)-1; i <= last; i++ {
		if l.ends[i] > n {
			return l.cut(i, n, notSent(errLost), errLost)
		}
		var err error
		if reply, err = c.verdict(); err != nil {
			return l.cut(i, n, reply, err)
		}
		if i < last {
			l.messages[i].reply <- reply
		}
	}
	c.proved = time.Now()
	l.retire()
	return l.settle(l.messages[len(l.messages)-1], reply)
}

// join appends r to the burst, unless it stays.
func (l *lane) join(r *request) (delivery.Reply, bool) {
	c := l.conn
	if reply, stays := c.stays(r); stays {
		return reply, true
	}
	if !r.leave(waiting, decided) {
		return notSent(r.ctx.Err()), true
	}
	c.sent++
	c.out = r.whole(c.out, c.offers)
	l.messages, l.ends = append(l.messages, r), append(l.ends, len(c.out))
	c.out = append(c.out, "RSET\r\n"...)
	return delivery.Reply{}, false
}

// another is a request that waits, if there is room for it; the first chunk of a
// connection leaves alone.
func (l *lane) another() *request {
	c, p := l.conn, l.pool
	most := c.config.Burst
	if !c.chunks {
		most = 1
	}
	if len(l.messages) >= most || c.config.PerConn > 0 && c.sent >= c.config.PerConn {
		return nil
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if r := p.waiting.first; r == nil || len(c.out)+r.size > maxPiece {
		return nil
	}
	return p.waiting.pop()
}

// cut gives up the connection. n octets of the burst may be with the server,
// reply is to its i-th message, and those after it have none. What cannot have
// been taken goes over a fresh connection: a message went well over this one.
func (l *lane) cut(i, n int, reply delivery.Reply, err error) *request {
	unheard := notSent(errClosing)
	if last := i == len(l.messages)-1; !errors.Is(err, errClosing) || !last && !l.conn.closes() {
		unheard = delivery.Reply{Outcome: delivery.Unclear, Text: errLost.Error()}
		l.pool.wary.Store(time.Now().Add(distrusted).UnixNano())
	}
	l.conn.breakOff()
	l.conn = nil
	for j := len(l.messages) - 1; j > i; j-- {
		r, reply := l.messages[j], unheard
		if l.ends[j] > n {
			reply = notSent(errLost)
		}
		if reply.Outcome == delivery.NotSent && r.again() {
			l.pool.putBack(r)
		} else {
			r.reply <- reply
		}
	}
	r := l.messages[i]
	if notNow := reply.Outcome == delivery.NotNow && reply.Code == closing; (notNow || reply.Outcome == delivery.NotSent) && r.again() {
		return r
	}
	return l.settle(r, reply)
}

// whole appends a message as one chunk, behind its envelope.
func (r *request) whole(dst []byte, offers offers) []byte {
	dst = r.command(dst, stepMail, offers)
	dst = r.command(dst, stepRcpt, offers)
	end := ""
	if len(r.msg) > 0 && !bytes.HasSuffix(r.msg, []byte("\r\n")) {
		end = "\r\n"
	}
	dst = strconv.AppendInt(append(dst, "BDAT "...), int64(len(r.msg)+len(end)), 10)
	dst = append(append(dst, " LAST\r\n"...), r.msg...)
	return append(dst, end...)
}

// verdict reads the replies to one message of a burst, all of which has left:
// after an error it is delivery.Unclear unless the server had the last word on it.
// That RSET is refused shows that there was a reply too many before.
func (c *conn) verdict() (reply delivery.Reply, err error) {
	somebody := false
	for step := stepMail; step <= stepReset; step++ {
		within := c.config.Timeout
		if step == stepChunk {
			within = c.config.DataTimeout
		}
		s, err := c.reply(within)
		switch {
		case step == stepReset && errors.Is(err, errLost):
			return reply, err
		case err != nil:
		case s.code == closing:
			if reply.Code == 0 {
				reply = s.outcome()
			}
			return reply, errClosing
		case s.refuses() && step != stepReset:
			if step == stepChunk && reply.Code == 0 && !c.chunks && s.code/10 == 50 { // RFC 5321, section 4.2.1: about the command
				return notSent(errNoChunks), errNoChunks
			}
			if reply.Code == 0 {
				reply = s.outcome()
			}
		case s.class() != 2:
			err = errNonsense
		case step == stepRcpt:
			somebody = true
		case step == stepChunk && reply.Code == 0:
			reply, c.chunks = s.outcome(), true
		case step == stepChunk: // what it refused before
			err, somebody = errNonsense, true
		}
		if err != nil {
			if reply.Code == 0 || somebody {
				reply = delivery.Reply{Outcome: delivery.Unclear, Text: err.Error()}
			}
			return reply, err
		}
	}
	return reply, nil
}

// closes: the server says nothing more. What has no reply then was not looked
// at (RFC 5321, section 3.8).
func (c *conn) closes() bool {
	c.reading = c.config.Timeout
	_, err := c.in.ReadByte()
	return err != nil && !errors.Is(err, os.ErrDeadlineExceeded)
}
