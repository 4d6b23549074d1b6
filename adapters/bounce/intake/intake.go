// Package intake is the SMTP server that bounces and complaints come to.
//
// It answers 250 once Handle has returned nil, so whoever handles makes it
// durable first. When Handle errs, when it panics, or when the server stops in
// between, the client gets 451 or nothing, keeps the mail and tries again
// (RFC 5321, section 4.5.4.1): Handle sees some mail twice, and none is lost.
// Nothing of a mail is logged.
package intake

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log"
	"log/slog"
	"net"
	"strings"
	"sync"
	"time"

	gosmtp "github.com/emersion/go-smtp"

	"github.com/cleversender/cleversender/adapters/bounce"
)

// Received is a mail to one of its recipients.
type Received struct {
	From string // of the envelope; "" is the null path
	To   string
	Data []byte // its first bounce.MaxBytes; not to be kept or changed
}

// Options says what to take, and from how many.
type Options struct {
	Addr     string   // where to listen
	Hostname string   // our name in greetings
	Domains  []string // mail to any other domain is refused
	Handle   func(context.Context, Received) error
	TLS      *tls.Config // offers STARTTLS; may be nil

	MaxBytes    int64         // of one mail; 0: 20 MB
	Connections int           // at a time; 0: 100
	PerHost     int           // at a time from one address; 0: 10
	Timeout     time.Duration // of a line, of a mail, of a reply, of Handle; 0: 5 minutes (RFC 5321, section 4.5.3.2)
	Session     time.Duration // of a connection, whatever it does; 0: 30 minutes
	Logger      *slog.Logger  // nil: none
}

// MaxRecipients is how many recipients of one mail are taken.
const MaxRecipients = 10

func (o Options) withDefaults() Options {
	set := func(n *int, to int) {
		if *n == 0 {
			*n = to
		}
	}
	set(&o.Connections, 100)
	set(&o.PerHost, 10)
	if o.MaxBytes == 0 {
		o.MaxBytes = 20 << 20
	}
	if o.Timeout == 0 {
		o.Timeout = 5 * time.Minute
	}
	if o.Session == 0 {
		o.Session = 30 * time.Minute
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return o
}

// Server takes mail until it is closed.
type Server struct {
	options  Options
	smtp     *gosmtp.Server
	listener net.Listener
	ctx      context.Context // of every Handle
	cancel   context.CancelFunc
	served   sync.WaitGroup
	handling sync.WaitGroup
	mu       sync.Mutex
	closed   bool
}

// Listen starts a server.
func Listen(o Options) (*Server, error) {
	o = o.withDefaults()
	l, err := net.Listen("tcp", o.Addr)
	if err != nil {
		return nil, fmt.Errorf("listen for bounces: %w", err)
	}
	s := &Server{options: o, listener: l}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	s.smtp = gosmtp.NewServer(gosmtp.BackendFunc(func(*gosmtp.Conn) (gosmtp.Session, error) {
		return &session{server: s}, nil
	}))
	s.smtp.Domain, s.smtp.TLSConfig = o.Hostname, o.TLS
	s.smtp.MaxMessageBytes, s.smtp.MaxRecipients = o.MaxBytes, MaxRecipients
	s.smtp.ReadTimeout, s.smtp.WriteTimeout = o.Timeout, o.Timeout
	s.smtp.EnableSMTPUTF8 = true
	s.smtp.ErrorLog = log.New(io.Discard, "", 0) // its lines may hold addresses
	s.served.Go(func() { _ = s.smtp.Serve(limit(l, o)) })
	return s, nil
}

// Addr is where it listens.
func (s *Server) Addr() string { return s.listener.Addr().String() }

// Close hangs up on everybody, and returns when nothing is handled any more.
func (s *Server) Close() error {
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
	s.cancel()
	err := s.smtp.Close()
	s.served.Wait()
	s.handling.Wait()
	if err != nil && !errors.Is(err, gosmtp.ErrServerClosed) {
		return fmt.Errorf("stop listening for bounces: %w", err)
	}
	return nil
}

// takes says whether an address is in one of our domains.
func (s *Server) takes(to string) bool {
	domain := to[strings.LastIndexByte(to, '@')+1:]
	for _, ours := range s.options.Domains {
		if strings.EqualFold(domain, ours) {
			return true
		}
	}
	return false
}

// begin reserves the right to handle a mail; not once the server is closed.
func (s *Server) begin() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return false
	}
	s.handling.Add(1)
	return true
}

var (
	errRelay = &gosmtp.SMTPError{Code: 550, EnhancedCode: gosmtp.EnhancedCode{5, 7, 1}, Message: "this server takes reports on its own mail only"}
	errLater = &gosmtp.SMTPError{Code: 451, EnhancedCode: gosmtp.EnhancedCode{4, 3, 0}, Message: "not recorded, try again"}
)

// session is one client's.
type session struct {
	server *Server
	from   string
	to     []string
}

func (c *session) Mail(from string, _ *gosmtp.MailOptions) error {
	c.from = from
	return nil
}

func (c *session) Rcpt(to string, _ *gosmtp.RcptOptions) error {
	if !c.server.takes(to) {
		return errRelay
	}
	c.to = append(c.to, to)
	return nil
}

func (c *session) Data(r io.Reader) error {
	data, err := io.ReadAll(io.LimitReader(r, bounce.MaxBytes))
	if err == nil {
		_, err = io.Copy(io.Discard, r)
	}
	if err != nil {
		return err
	}
	if !c.server.begin() {
		return errLater
	}
	defer c.server.handling.Done()
	ctx, cancel := context.WithTimeout(c.server.ctx, c.server.options.Timeout)
	defer cancel()
	for _, to := range c.to {
		if err := c.server.options.Handle(ctx, Received{From: c.from, To: to, Data: data}); err != nil {
			c.server.options.Logger.Error("a bounce that came in was not recorded; it will come again", "error", err)
			return errLater
		}
	}
	return nil
}

func (c *session) Reset() { c.from, c.to = "", nil }

func (c *session) Logout() error { return nil }
