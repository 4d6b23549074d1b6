// Package catcher is a real SMTP server inside the process that delivers to
// nobody: it keeps the last messages for people to look at, or only counts.
package catcher

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"sync"
	"time"

	gosmtp "github.com/emersion/go-smtp"
)

// Message is one that was caught.
type Message struct {
	Number int // from 1, in the order of arrival
	At     time.Time
	From   string // of the envelope
	To     []string
	Data   []byte // as received; not to be changed
}

// Catcher is the server and its mailbox. Personal data in it lives in memory
// only, and goes when the catcher does.
type Catcher struct {
	server   *gosmtp.Server
	listener net.Listener
	options  Options

	mu    sync.Mutex
	ring  []Message // of the last options.Keep
	count int
	bytes int64
}

// Options says what to keep. The zero Options counts and keeps nothing.
type Options struct {
	Addr      string        // "" is 127.0.0.1:0
	Keep      int           // the last so many messages
	MaxBytes  int64         // of one message; 0: 10 MB
	OnMessage func(Message) // called for each, before the client gets its reply; may be nil
	// Answer decides about a message before it is kept; an error of type
	// *gosmtp.SMTPError is the reply. nil takes everything.
	Answer func(from string, to []string) error
}

// Listen starts a catcher.
func Listen(o Options) (*Catcher, error) {
	if o.Addr == "" {
		o.Addr = "127.0.0.1:0"
	}
	if o.MaxBytes == 0 {
		o.MaxBytes = 10 << 20
	}
	l, err := net.Listen("tcp", o.Addr)
	if err != nil {
		return nil, fmt.Errorf("listen for mail: %w", err)
	}
	c := &Catcher{listener: l, options: o}
	c.server = gosmtp.NewServer(gosmtp.BackendFunc(func(*gosmtp.Conn) (gosmtp.Session, error) {
		return &session{catcher: c}, nil
	}))
	c.server.Domain = "catcher.invalid"
	c.server.MaxMessageBytes, c.server.MaxRecipients = o.MaxBytes, 100
	c.server.ReadTimeout, c.server.WriteTimeout = 5*time.Minute, time.Minute
	c.server.EnableSMTPUTF8 = true
	c.server.ErrorLog = log.New(io.Discard, "", 0) // its lines may hold addresses
	go func() { _ = c.server.Serve(l) }()          // ends with Close
	return c, nil
}

// URL is where to send mail to it, as adapters/smtp reads it.
func (c *Catcher) URL() string { return "smtp://" + c.listener.Addr().String() }

// Close stops listening and ends the sessions.
func (c *Catcher) Close() error {
	if err := c.server.Close(); err != nil && !errors.Is(err, gosmtp.ErrServerClosed) {
		return fmt.Errorf("stop catching mail: %w", err)
	}
	return nil
}

// Count is how many messages came in all, and Bytes their size.
func (c *Catcher) Count() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.count
}

// Bytes is the size of all messages that came.
func (c *Catcher) Bytes() int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.bytes
}

// Messages returns up to limit of the messages kept, the newest first, that
// are older than number before (0: from the newest).
func (c *Catcher) Messages(before, limit int) []Message {
	c.mu.Lock()
	defer c.mu.Unlock()
	if before <= 0 || before > c.count+1 {
		before = c.count + 1
	}
	var out []Message
	for n := before - 1; n > c.count-len(c.ring) && n > 0 && len(out) < limit; n-- {
		out = append(out, c.ring[(n-1)%c.options.Keep])
	}
	return out
}

// Message is the one with a number, while it is kept.
func (c *Catcher) Message(number int) (Message, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if number < 1 || number > c.count || number <= c.count-len(c.ring) {
		return Message{}, false
	}
	return c.ring[(number-1)%c.options.Keep], true
}

func (c *Catcher) catch(from string, to []string, data []byte, size int64) {
	m := Message{At: time.Now(), From: from, To: to, Data: data}
	c.mu.Lock()
	c.count++
	c.bytes += size
	m.Number = c.count
	if c.options.Keep > 0 {
		if len(c.ring) < c.options.Keep {
			c.ring = append(c.ring, m)
		} else {
			c.ring[(m.Number-1)%c.options.Keep] = m
		}
	}
	c.mu.Unlock()
	if c.options.OnMessage != nil {
		c.options.OnMessage(m)
	}
}

// session is one client's.
type session struct {
	catcher *Catcher
	from    string
	to      []string
}

func (s *session) Mail(from string, _ *gosmtp.MailOptions) error {
	s.from = from
	return nil
}

func (s *session) Rcpt(to string, _ *gosmtp.RcptOptions) error {
	s.to = append(s.to, to)
	return nil
}

func (s *session) Data(r io.Reader) error {
	if s.catcher.options.Answer != nil {
		if err := s.catcher.options.Answer(s.from, s.to); err != nil {
			return err
		}
	}
	if s.catcher.options.Keep == 0 && s.catcher.options.OnMessage == nil {
		size, err := io.Copy(io.Discard, r)
		if err == nil {
			s.catcher.catch("", nil, nil, size)
		}
		return err
	}
	var buf bytes.Buffer
	if _, err := buf.ReadFrom(r); err != nil {
		return err
	}
	s.catcher.catch(s.from, s.to, buf.Bytes(), int64(buf.Len()))
	return nil
}

func (s *session) Reset() { s.from, s.to = "", nil }

func (s *session) Logout() error { return nil }
