package smtp

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"time"

	"github.com/emersion/go-sasl"
	gosmtp "github.com/emersion/go-smtp"

	"github.com/cleversender/cleversender/domain/delivery"
)

// conn is one session with the server, used by one goroutine at a time.
type conn struct {
	client *gosmtp.Client
	raw    net.Conn // what is closed to break off
	wire   net.Conn // what the client writes to: raw, or TLS over it
	sent   int      // messages tried
	used   time.Time
}

// errPlainAuth: a password would cross the network in the clear.
var errPlainAuth = errors.New("smtp: the server offers no encryption, so the password stays here; use smtps:// or another server")

func (p *Pool) dial(ctx context.Context) (*conn, error) {
	p.mu.Lock()
	closed := p.closed
	p.mu.Unlock()
	if closed {
		return nil, ErrClosed
	}
	dialer := net.Dialer{Timeout: p.config.Timeout}
	raw, err := dialer.DialContext(ctx, "tcp", p.config.Addr)
	if err != nil {
		return nil, fmt.Errorf("connect to the mail server: %w", err)
	}
	wire := &timed{raw, p.config.Timeout}
	defer context.AfterFunc(ctx, func() { _ = raw.Close() })()
	client, spoken, err := p.greet(ctx, wire)
	if err != nil {
		_ = raw.Close()
		if ctx.Err() != nil {
			err = ctx.Err()
		}
		return nil, fmt.Errorf("greet the mail server: %w", err)
	}
	return &conn{client: client, raw: raw, wire: spoken}, nil
}

// greet opens the session: EHLO, encryption, authentication.
func (p *Pool) greet(ctx context.Context, wire net.Conn) (*gosmtp.Client, net.Conn, error) {
	config := p.config.TLSConfig.Clone()
	if config == nil {
		config = &tls.Config{MinVersion: tls.VersionTLS12}
	}
	config.ServerName, config.InsecureSkipVerify = p.config.Host, config.InsecureSkipVerify || p.config.Insecure
	encrypted := p.config.TLS
	if p.config.TLS {
		secure := tls.Client(wire, config)
		if err := secure.HandshakeContext(ctx); err != nil {
			return nil, nil, err
		}
		wire = secure
	}
	client := p.client(wire)
	if err := client.Hello(p.config.Hello); err != nil {
		return nil, nil, err
	}
	if offered, _ := client.Extension("STARTTLS"); !p.config.TLS && p.config.StartTLS != Off {
		if !offered && p.config.StartTLS == Required {
			return nil, nil, errors.New("smtp: the server does not offer STARTTLS")
		}
		if offered {
			var err error
			if client, wire, err = p.startTLS(ctx, wire, config); err != nil {
				return nil, nil, err
			}
			encrypted = true
		}
	}
	return client, wire, p.authenticate(client, encrypted)
}

// startTLS encrypts a connection on which EHLO offered it, and greets again
// (RFC 3207, section 4.2).
func (p *Pool) startTLS(ctx context.Context, wire net.Conn, config *tls.Config) (*gosmtp.Client, net.Conn, error) {
	if err := starttls(wire); err != nil {
		return nil, nil, err
	}
	secure := tls.Client(wire, config)
	if err := secure.HandshakeContext(ctx); err != nil {
		return nil, nil, err
	}
	client := p.client(&greeted{Conn: secure})
	return client, secure, client.Hello(p.config.Hello)
}

func (p *Pool) client(wire net.Conn) *gosmtp.Client {
	client := gosmtp.NewClient(wire)
	client.CommandTimeout, client.SubmissionTimeout = p.config.Timeout, p.config.DataTimeout
	return client
}

func (p *Pool) authenticate(client *gosmtp.Client, encrypted bool) error {
	if p.config.User == "" {
		return nil
	}
	if !encrypted && !isLoopback(p.config.Host) {
		return errPlainAuth
	}
	if !client.SupportsAuth(sasl.Plain) && client.SupportsAuth(sasl.Login) {
		return client.Auth(sasl.NewLoginClient(p.config.User, p.config.Pass))
	}
	return client.Auth(sasl.NewPlainClient("", p.config.User, p.config.Pass)) // RFC 4954, RFC 4616
}

// send makes one mail transaction (RFC 5321, section 3.3). broken: the
// connection is of no more use.
func (c *conn) send(ctx context.Context, e envelope, msg []byte) (reply delivery.Reply, broken bool) {
	c.sent++
	stop := context.AfterFunc(ctx, func() { _ = c.raw.Close() })
	defer stop()
	if e.utf8 {
		if offered, _ := c.client.Extension("SMTPUTF8"); !offered { // RFC 6531, section 3.5
			return delivery.Reply{Outcome: delivery.Never, Enhanced: "5.6.7", Text: "the server takes no such address"}, false
		}
	}
	if err := c.client.Mail(e.from, &gosmtp.MailOptions{Size: int64(len(msg)), UTF8: e.utf8}); err != nil {
		return c.early(err)
	}
	if err := c.client.Rcpt(e.to, nil); err != nil {
		return c.early(err)
	}
	data, err := c.client.Data()
	if err != nil {
		return c.early(err)
	}
	// The client's own writer goes octet by octet, most of a message's cost. Its
	// buffer is empty now, so the content can go past it; the end of it, CRLF
	// and the dot, is what CloseWithResponse writes.
	if _, err := c.wire.Write(content(msg)); err != nil {
		return notSent(errLost), true
	}
	if !stop() { // ctx ended before the end of the message could leave
		return notSent(ctx.Err()), true
	}
	answer, err := data.CloseWithResponse()
	if err != nil {
		return late(err)
	}
	enhanced, text := splitEnhanced(answer.StatusText)
	return delivery.Reply{Outcome: delivery.Taken, Code: 250, Enhanced: enhanced, Text: text}, false
}

// errLost stands for whatever the network said.
var errLost = errors.New("the connection to the mail server was lost")

// early is the outcome of an error before the message was complete.
func (c *conn) early(err error) (delivery.Reply, bool) {
	var said *gosmtp.SMTPError
	if !errors.As(err, &said) || said.Code/100 != 4 && said.Code/100 != 5 {
		return notSent(errLost), true
	}
	reply := replyOf(said)
	if said.Code == closing {
		return reply, true
	}
	// The transaction may have begun: end it (RFC 5321, section 4.1.1.5).
	return reply, c.client.Reset() != nil
}

// late is the outcome of an error after the message may have been complete.
func late(err error) (delivery.Reply, bool) {
	var said *gosmtp.SMTPError
	if !errors.As(err, &said) {
		return delivery.Reply{Outcome: delivery.Unclear, Text: errLost.Error()}, true
	}
	switch said.Code / 100 {
	case 2:
		r := replyOf(said)
		r.Outcome = delivery.Taken
		return r, false
	case 4, 5:
		return replyOf(said), said.Code == closing
	default: // no reply to the end of a message (RFC 5321, section 4.3.2)
		return delivery.Reply{Outcome: delivery.Unclear, Text: "the server's reply made no sense"}, true
	}
}

func (c *conn) close() { _ = c.client.Close() }

func (c *conn) quit() {
	_ = c.raw.SetDeadline(time.Now().Add(time.Second))
	if err := c.client.Quit(); err != nil {
		c.close()
	}
}
