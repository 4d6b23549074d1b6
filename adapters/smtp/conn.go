package smtp

import (
	"bufio"
	"bytes"
	"net"
	"sync/atomic"
	"time"

	"github.com/cleversender/cleversender/domain/delivery"
)

// conn is one session with the server, used by one lane at a time.
type conn struct {
	raw     net.Conn // what is closed to break off
	wire    net.Conn // raw, or TLS over it
	in      *bufio.Reader
	out     []byte // not yet written
	text    []byte // of the last reply
	offers  offers
	config  *Config
	reading time.Duration // how long the reply may take; 0: its deadline is set
	sent    int           // messages tried
	proved  time.Time     // when the last transaction went well
	chunks  bool          // the server took a message in one
	owed    atomic.Bool   // a message may be complete and has no reply yet
}

// head is what ends a transaction once the replies to its envelope are known.
type head int

const (
	headContent head = iota
	headDot          // DATA was allowed with no recipient (RFC 2920, section 3.1)
	headReset        // RFC 5321, section 4.1.1.5
)

// maxPiece bounds what is written at once.
const maxPiece = 64 << 10

func (c *conn) breakOff() { _ = c.raw.Close() }

// Read implements io.Reader for the replies, each with one deadline.
func (c *conn) Read(b []byte) (int, error) {
	if c.reading > 0 {
		if err := c.raw.SetReadDeadline(time.Now().Add(c.reading)); err != nil {
			return 0, err
		}
		c.reading = 0
	}
	return c.wire.Read(b)
}

// flush writes what is in out.
func (c *conn) flush() (int, error) {
	if err := c.raw.SetWriteDeadline(time.Now().Add(c.config.Timeout)); err != nil {
		return 0, errLost
	}
	n, err := c.wire.Write(c.out)
	if c.out = c.out[:0]; err != nil {
		return n, errLost
	}
	return n, nil
}

func (c *conn) reply(within time.Duration) (s said, err error) {
	c.reading = within
	s, err = readReply(c.in, c.text)
	c.text = s.text
	return s, err
}

// stays says what is known of a message before anything is written.
func (c *conn) stays(r *request) (delivery.Reply, bool) {
	switch {
	case r.ctx.Err() != nil:
		return notSent(r.ctx.Err()), true
	case r.utf8 && !c.offers.utf8: // RFC 6531, section 3.5
		return delivery.Reply{Outcome: delivery.Never, Enhanced: "5.6.7", Text: "the server takes no such address"}, true
	case c.offers.maxSize > 0 && r.size > c.offers.maxSize: // RFC 1870, section 6.1
		return delivery.Reply{Outcome: delivery.Never, Enhanced: "5.3.4", Text: "the message is larger than the server takes"}, true
	}
	return delivery.Reply{}, false
}

// propose begins a transaction; one by one, the commands are hear's.
func (c *conn) propose(r *request) error {
	if c.in.Buffered() > 0 { // nobody asked
		c.sent++
		return errNonsense
	}
	c.out = c.envelope(c.out[:0], r)
	if len(c.out) == 0 {
		return nil
	}
	_, err := c.flush()
	return err
}

// envelope counts r, and appends its commands if they may travel together.
func (c *conn) envelope(dst []byte, r *request) []byte {
	c.sent++
	r.over.Store(c)
	if c.offers.pipelining {
		for step := stepMail; step <= stepData; step++ {
			dst = r.command(dst, step, c.offers)
		}
	}
	return dst
}

// hear reads the replies to an envelope. refusal is the first 4yz or 5yz, also
// beside an error: the connection is of no more use then.
func (c *conn) hear(r *request) (end head, refusal delivery.Reply, err error) {
	if r.wasRecalled() {
		return 0, refusal, r.ctx.Err()
	}
	nobody := false
	for step := stepMail; ; step++ {
		if !c.offers.pipelining {
			c.out = r.command(c.out[:0], step, c.offers)
			if _, err := c.flush(); err != nil {
				return 0, refusal, err
			}
		}
		s, err := c.reply(c.config.Timeout)
		switch {
		case err != nil:
			return 0, refusal, err
		case s.refuses():
			if refusal.Code == 0 {
				refusal = s.outcome()
			}
			nobody = nobody || step == stepRcpt
			if s.code == closing {
				return 0, refusal, errLost
			}
			if step == stepData || !c.offers.pipelining {
				c.out = append(c.out[:0], "RSET\r\n"...)
				return headReset, refusal, nil
			}
		case step < stepData && s.class() == 2:
		case step == stepData && s.code == 354 && refusal.Code == 0:
			return headContent, refusal, nil
		case step == stepData && s.code == 354 && nobody:
			c.out = append(c.out[:0], ".\r\n"...)
			return headDot, refusal, nil
		default:
			return 0, refusal, errNonsense
		}
	}
}

// content writes a message but for its last piece, which it leaves in out.
func (c *conn) content(r *request) error {
	if c.in.Buffered() > 0 { // a reply before the message
		return errNonsense
	}
	if !r.leave(waiting, leaving) {
		return r.ctx.Err()
	}
	c.out = c.out[:0]
	rest, before := r.msg, byte('\n')
	for len(rest) > maxPiece {
		c.out = stuff(c.out, rest[:maxPiece], before)
		rest, before = rest[maxPiece:], rest[maxPiece-1]
		if _, err := c.flush(); err != nil {
			return err
		}
	}
	c.out = stuff(c.out, rest, before)
	if len(r.msg) > 0 && !bytes.HasSuffix(r.msg, []byte("\r\n")) {
		c.out = append(c.out, "\r\n"...)
	}
	c.out = append(c.out, ".\r\n"...)
	if !r.leave(leaving, decided) {
		return r.ctx.Err()
	}
	return nil
}

// ended reads the reply to what ended a transaction. An error: the connection
// is of no more use.
func (c *conn) ended(end head) (delivery.Reply, error) {
	within := c.config.Timeout
	if end == headContent {
		within = c.config.DataTimeout
	}
	s, err := c.reply(within)
	if err != nil {
		return delivery.Reply{Outcome: delivery.Unclear, Text: err.Error()}, err
	}
	switch {
	case s.code == closing:
		err = errLost
	case s.class() == 3, end == headReset && s.class() != 2:
		err = errNonsense
	}
	return s.outcome(), err
}

// quit says goodbye (RFC 5321, section 4.1.1.10).
func (c *conn) quit() {
	defer func() { _ = c.wire.Close() }()
	_ = c.raw.SetWriteDeadline(time.Now().Add(time.Second))
	if _, err := c.wire.Write([]byte("QUIT\r\n")); err == nil {
		_, _ = c.reply(time.Second)
	}
}
