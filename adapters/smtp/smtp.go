// Package smtp hands messages to a mail server over pooled connections, and
// says of each exactly what is known of it.
//
// A message is in one of three hands:
//
//   - Until its last octet, by DATA the end of the line with a single dot, has been
//     written, it is ours: whatever breaks, the server delivers nothing (RFC 5321,
//     section 4.1.1.4), and the outcome is delivery.NotSent: sending again is safe.
//   - From then until the reply it is nobody's: if the connection breaks, the
//     reply is nonsense, or none comes in time, the outcome is delivery.Unclear.
//     Sending again may deliver twice (RFC 5321, section 4.5.3.2.6).
//   - The reply decides (RFC 5321, section 4.2.1): 2yz delivery.Taken, 4yz
//     delivery.NotNow, 5yz delivery.Never. So does an earlier 4yz or 5yz.
//
// To a server that offers PIPELINING (RFC 2920) the envelope of the next message
// travels with the content of the one before: behind one whose outcome is
// Unclear it is still ours. If it offers CHUNKING (RFC 3030) as well, what waits
// leaves in bursts, each message whole: its last octet is that of its chunk, and
// a burst that breaks off leaves all that were complete and had no reply
// Unclear. Behind a 421 nothing was looked at, if the server then closes the
// connection and says no more: NotSent. So is the first chunk of a connection to
// a server that does not know the command.
//
// Replies are taken in the order of the commands; one too many, too few or too
// long, and the connection is of no more use.
//
// A connection that was used before may have been closed by the server; when it
// breaks before the message is complete, the message goes over a fresh one, once.
//
// Addresses are personal: nothing here logs, and errors of Check and of the
// network hold none. A reply's Text may quote one.
package smtp

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"sync"
	"sync/atomic"
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
	Burst       int           // messages on their way at once over a connection, if the server takes chunks
	Timeout     time.Duration // of a connect, a command, a write
	DataTimeout time.Duration // of the reply to the message
	Idle        time.Duration // an unused connection is closed after this
	TLSConfig   *tls.Config   // nil: the system's roots

	// Which of several servers takes a message is not a pool's to say.
	Name     string   // "": not given
	From     []string // whose mail it takes: addresses, domains, *.domains; none: everybody's
	Priority int      // lower comes first
	Rate     float64  // messages a second; 0: no limit
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
	config  Config
	connect func(ctx context.Context, network, address string) (net.Conn, error)
	running sync.WaitGroup // lanes
	spent   sync.Pool      // of requests
	wary    atomic.Int64   // no bursts until then, in nanoseconds

	mu      sync.Mutex
	waiting queue   // of what no lane is free for
	idle    []*lane // the one used last comes last
	lanes   int
	closed  bool
}

// ErrClosed: the pool was closed.
var ErrClosed = errors.New("smtp: the pool is closed")

// Open makes a pool. It connects when there is something to send.
func Open(config Config) *Pool {
	dialer := net.Dialer{Timeout: config.Timeout}
	return &Pool{config: config, connect: dialer.DialContext}
}

// Check connects, greets and authenticates, so that a wrong setting shows
// before a campaign does.
func (p *Pool) Check(ctx context.Context) error {
	c, err := p.dial(ctx)
	if err != nil {
		return err
	}
	return p.keep(c)
}

// Send hands over one message: envelope addresses without angle brackets, and
// the content, lines ending in CRLF, dots not yet doubled, which are the
// caller's again when it returns. It waits for a connection to be free; where
// the server pipelines, twice as many callers as connections keep all of them
// busy, and more fill bursts. When ctx ends before the message is complete it is
// not sent; a message that may be complete is waited for, up to DataTimeout.
func (p *Pool) Send(ctx context.Context, from, to string, msg []byte) delivery.Reply {
	e, refused := envelopeOf(from, to)
	if refused != "" {
		return delivery.Reply{Outcome: delivery.Never, Enhanced: "5.1.3", Text: refused} // RFC 3463, section 3.2
	}
	if err := ctx.Err(); err != nil {
		return notSent(err)
	}
	e.size, e.eightBit = len(msg), !sevenBit(msg)
	r := p.request(ctx, e, msg)
	if !p.submit(r) {
		return notSent(ErrClosed)
	}
	select {
	case reply := <-r.reply:
		p.release(r)
		return reply
	case <-ctx.Done():
		if p.recall(r) {
			return notSent(ctx.Err())
		}
		return <-r.reply
	}
}

// Connections is how many there are now.
func (p *Pool) Connections() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.lanes
}

// Close waits for messages under way and says goodbye (RFC 5321, section
// 4.1.1.10). Later Sends find delivery.NotSent.
func (p *Pool) Close() error {
	p.mu.Lock()
	p.closed = true
	for _, l := range p.idle {
		l.wake <- nil
	}
	p.lanes -= len(p.idle)
	p.idle = nil
	p.mu.Unlock()
	p.running.Wait()
	return nil
}

func notSent(err error) delivery.Reply {
	return delivery.Reply{Outcome: delivery.NotSent, Text: err.Error()}
}
