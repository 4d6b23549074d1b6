// Package sink is an SMTP server that takes everything and keeps nothing, fast
// enough to measure clients and to be killed in the middle of a campaign.
package sink

import (
	"errors"
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// Options says what to do with messages. The zero Options counts them.
type Options struct {
	Addr string // "" is 127.0.0.1:0
	// OnMessage is called for each recipient of a message before the client gets
	// its reply. data is as the client meant it, dots no longer doubled, and good
	// during the call only.
	OnMessage func(from, to string, data []byte)
	// Answer is the code of the reply to a message, asked before OnMessage for the
	// last recipient; what is not 250 is neither counted nor given to OnMessage,
	// and after a 421 the connection is closed. nil: 250.
	Answer       func(from, to string) int
	Delay        time.Duration // before each reply, which then travels alone
	NoPipelining bool          // do not offer it
	NoChunking   bool          // nor this
}

// Sink is a server at work.
type Sink struct {
	options         Options
	listener        net.Listener
	messages, bytes atomic.Int64
	running         sync.WaitGroup

	mu     sync.Mutex
	open   map[net.Conn]struct{}
	closed bool
}

// Listen starts a sink.
func Listen(o Options) (*Sink, error) {
	if o.Addr == "" {
		o.Addr = "127.0.0.1:0"
	}
	l, err := net.Listen("tcp", o.Addr)
	if err != nil {
		return nil, fmt.Errorf("listen for mail: %w", err)
	}
	s := &Sink{options: o, listener: l, open: map[net.Conn]struct{}{}}
	s.running.Go(s.accept)
	return s, nil
}

// URL is where to send mail to it, as adapters/smtp reads it.
func (s *Sink) URL() string { return "smtp://" + s.listener.Addr().String() }

// Count is how many messages were taken, and Bytes their size.
func (s *Sink) Count() int { return int(s.messages.Load()) }

// Bytes is the size of all messages that were taken, dots doubled where they came so.
func (s *Sink) Bytes() int64 { return s.bytes.Load() }

// Close stops listening and breaks off the sessions.
func (s *Sink) Close() error {
	s.mu.Lock()
	s.closed = true
	for c := range s.open {
		_ = c.Close()
	}
	s.mu.Unlock()
	err := s.listener.Close()
	s.running.Wait()
	if err != nil && !errors.Is(err, net.ErrClosed) {
		return fmt.Errorf("stop taking mail: %w", err)
	}
	return nil
}

func (s *Sink) accept() {
	for {
		c, err := s.listener.Accept()
		if err != nil {
			return
		}
		s.mu.Lock()
		if s.closed {
			_ = c.Close()
		} else {
			s.open[c] = struct{}{}
			s.running.Go(func() { s.serve(c) })
		}
		s.mu.Unlock()
	}
}

func (s *Sink) serve(c net.Conn) {
	(&session{sink: s, conn: c}).run()
	_ = c.Close()
	s.mu.Lock()
	delete(s.open, c)
	s.mu.Unlock()
}
