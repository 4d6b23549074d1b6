// Package smtp hands messages to a mail server over pooled connections, and
// says of each exactly what is known of it.
//
// A message is in one of three hands:
//
//   - Until its last octet, the line with a single dot, has been written, it is
//     ours: whatever breaks, the server delivers nothing (RFC 5321, section
//     4.1.1.4), and the outcome is delivery.NotSent: sending again is safe.
//   - From then until the reply it is nobody's: if the connection breaks, the
//     reply is nonsense, or none comes in time, the outcome is delivery.Unclear.
//     Sending again may deliver twice (RFC 5321, section 4.5.3.2.6).
//   - The reply decides (RFC 5321, section 4.2.1): 2yz delivery.Taken, 4yz
//     delivery.NotNow, 5yz delivery.Never. So does an earlier 4yz or 5yz.
//
// A connection that was idle may have been closed by the server; when it breaks
// before the message is complete, the message goes over a fresh one, once.
//
// Addresses are personal: nothing here logs, and errors of Open and of the
// network hold none. A reply's Text may quote one.
package smtp

import (
	"context"
	"crypto/tls"
	"errors"
	"sync"
	"time"

	"github.com/cleversender/cleversender/domain/delivery"
)

// Config is how to reach a server; Parse makes one of a URL.
type Config struct {
	Addr        string // host:port
	Host        string // the name in the server's certificate
	TLS         bool   // from the first octet (RFC 8314, section 3.3); else STARTTLS says
	StartTLS    StartTLS
	Insecure    bool // take any certificate
	User, Pass  string
	Hello       string        // our name in EHLO
	Connections int           // at most, at a time
	PerConn     int           // messages before a connection is closed; 0: no limit
	Timeout     time.Duration // of a connect, a command, a write
	DataTimeout time.Duration // of the reply to the message
	Idle        time.Duration // an unused connection is closed after this
	TLSConfig   *tls.Config   // nil: the system's roots
}

// StartTLS is when to encrypt a connection that began in the clear (RFC 3207).
type StartTLS string

const (
	WhenOffered StartTLS = "auto"
	Required    StartTLS = "required"
	Off         StartTLS = "off"
)

// Pool is connections to one server, for many goroutines.
type Pool struct {
	config Config
	slots  chan struct{} // one for each message under way
	mu     sync.Mutex
	idle   []*conn // the one used last comes last
	closed bool
}

// ErrClosed: the pool was closed.
var ErrClosed = errors.New("smtp: the pool is closed")

// Open makes a pool. It connects when there is something to send.
func Open(config Config) *Pool {
	return &Pool{config: config, slots: make(chan struct{}, max(config.Connections, 1))}
}

// Check connects, greets and authenticates, so that a wrong setting shows
// before a campaign does.
func (p *Pool) Check(ctx context.Context) error {
	c, err := p.dial(ctx)
	if err != nil {
		return err
	}
	p.release(c)
	return nil
}

// Send hands over one message: envelope addresses without angle brackets, and
// the bytes for DATA, lines ending in CRLF, dots not yet doubled. It waits for
// a connection to be free. When ctx ends before the message is complete it is
// not sent; a message that may be complete is waited for, up to DataTimeout.
func (p *Pool) Send(ctx context.Context, from, to string, msg []byte) delivery.Reply {
	e, refused := envelopeOf(from, to)
	if refused != "" {
		return delivery.Reply{Outcome: delivery.Never, Enhanced: "5.1.3", Text: refused} // RFC 3463, section 3.2
	}
	select {
	case p.slots <- struct{}{}:
		defer func() { <-p.slots }()
	case <-ctx.Done():
		return notSent(ctx.Err())
	}
	if c := p.take(); c != nil {
		reply, again := p.sendOver(ctx, c, e, msg)
		if !again {
			return reply
		}
	}
	c, err := p.dial(ctx)
	if err != nil {
		return notSent(err) // a session turned away says nothing about the message
	}
	reply, _ := p.sendOver(ctx, c, e, msg)
	return reply
}

// sendOver sends over c and keeps or closes it. again: c had been idle and was
// found broken before the message was complete.
func (p *Pool) sendOver(ctx context.Context, c *conn, e envelope, msg []byte) (reply delivery.Reply, again bool) {
	stale := c.sent > 0
	reply, broken := c.send(ctx, e, msg)
	if broken {
		c.close()
		return reply, stale && ctx.Err() == nil && (reply.Outcome == delivery.NotSent || reply.Code == closing && reply.Outcome == delivery.NotNow)
	}
	p.release(c)
	return reply, false
}

// closing is the reply of a server that ends the connection, at any time (RFC 5321, section 3.8).
const closing = 421

func notSent(err error) delivery.Reply {
	return delivery.Reply{Outcome: delivery.NotSent, Text: err.Error()}
}

// take is an idle connection that is not too old, or nil.
func (p *Pool) take() *conn {
	p.mu.Lock()
	defer p.mu.Unlock()
	for len(p.idle) > 0 {
		c := p.idle[len(p.idle)-1]
		p.idle = p.idle[:len(p.idle)-1]
		if time.Since(c.used) < p.config.Idle {
			return c
		}
		go c.quit()
	}
	return nil
}

func (p *Pool) release(c *conn) {
	c.used = time.Now()
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed || p.config.PerConn > 0 && c.sent >= p.config.PerConn {
		go c.quit()
		return
	}
	p.idle = append(p.idle, c)
}

// Close waits for messages under way and says goodbye (RFC 5321, section
// 4.1.1.10). Later Sends find delivery.NotSent.
func (p *Pool) Close() error {
	p.mu.Lock()
	p.closed = true
	p.mu.Unlock()
	for range cap(p.slots) {
		p.slots <- struct{}{}
	}
	p.mu.Lock()
	idle := p.idle
	p.idle = nil
	p.mu.Unlock()
	var wg sync.WaitGroup
	for _, c := range idle {
		wg.Go(c.quit)
	}
	wg.Wait()
	for range cap(p.slots) {
		<-p.slots
	}
	return nil
}
