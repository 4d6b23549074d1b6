package smtp

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/emersion/go-sasl"
)

// offers is what a server says it can do (RFC 5321, section 4.1.1.1).
type offers struct {
	pipelining, chunking   bool
	size, eightBit, utf8   bool
	startTLS, plain, login bool
	maxSize                int // 0: not said
}

// errPlainAuth: a password would cross the network in the clear.
var errPlainAuth = errors.New("smtp: the server offers no encryption, so the password stays here; use smtps:// or another server")

// dial opens a session: greeting, EHLO, encryption, authentication.
func (p *Pool) dial(ctx context.Context) (*conn, error) {
	raw, err := p.connect(ctx, "tcp", p.config.Addr)
	if err != nil {
		return nil, fmt.Errorf("connect to the mail server: %w", err)
	}
	defer context.AfterFunc(ctx, func() { _ = raw.Close() })()
	c := &conn{raw: raw, wire: raw, config: &p.config}
	c.in = bufio.NewReaderSize(c, maxLine)
	if err := c.open(ctx); err != nil {
		_ = raw.Close()
		if ctx.Err() != nil {
			err = ctx.Err()
		}
		return nil, fmt.Errorf("greet the mail server: %w", err)
	}
	return c, nil
}

func (c *conn) open(ctx context.Context) error {
	if c.config.TLS {
		if err := c.encrypt(ctx); err != nil {
			return err
		}
	}
	if s, err := c.reply(c.config.Timeout); err != nil {
		return err
	} else if s.code != 220 {
		return s.refusal("the connection")
	}
	if err := c.hello(); err != nil {
		return err
	}
	encrypted := c.config.TLS
	switch {
	case encrypted || c.config.StartTLS == Off:
	case c.offers.startTLS:
		if err := c.startTLS(ctx); err != nil {
			return err
		}
		encrypted = true
	case c.config.StartTLS == Required:
		return errors.New("smtp: the server does not offer STARTTLS")
	}
	if c.config.User == "" {
		return nil
	}
	if !encrypted && !isLoopback(c.config.Host) {
		return errPlainAuth
	}
	return c.authenticate()
}

// ask says a command and reads the reply.
func (c *conn) ask(command string) (said, error) {
	c.out = append(append(c.out[:0], command...), "\r\n"...)
	if _, err := c.flush(); err != nil {
		return said{}, err
	}
	return c.reply(c.config.Timeout)
}

func (c *conn) hello() error {
	s, err := c.ask("EHLO " + c.config.Hello)
	if err == nil && (s.code == 500 || s.code == 502) {
		s, err = c.ask("HELO " + c.config.Hello) // RFC 5321, section 3.2
	}
	if err != nil {
		return err
	}
	if s.code != 250 {
		return s.refusal("our name")
	}
	c.offers = offers{}
	for i, line := range bytes.Split(bytes.ToUpper(s.text), []byte("\n")) {
		if words := bytes.Fields(line); i > 0 && len(words) > 0 {
			c.offers.add(string(words[0]), words[1:])
		}
	}
	return nil
}

func (o *offers) add(keyword string, words [][]byte) {
	switch keyword {
	case "PIPELINING":
		o.pipelining = true
	case "CHUNKING":
		o.chunking = true
	case "8BITMIME":
		o.eightBit = true
	case "SMTPUTF8":
		o.utf8 = true
	case "STARTTLS":
		o.startTLS = true
	case "SIZE":
		if o.size = true; len(words) > 0 {
			o.maxSize, _ = strconv.Atoi(string(words[0]))
		}
	case "AUTH":
		for _, w := range words {
			o.plain = o.plain || string(w) == sasl.Plain
			o.login = o.login || string(w) == sasl.Login
		}
	}
}

// startTLS encrypts a session that began in the clear, and greets again (RFC
// 3207, section 4.2). What came with the reply was not encrypted: nobody's.
func (c *conn) startTLS(ctx context.Context) error {
	s, err := c.ask("STARTTLS")
	switch {
	case err != nil:
		return err
	case s.code != 220:
		return s.refusal("STARTTLS")
	case c.in.Buffered() > 0:
		return errNonsense
	}
	if err := c.encrypt(ctx); err != nil {
		return err
	}
	return c.hello()
}

func (c *conn) encrypt(ctx context.Context) error {
	config := c.config.TLSConfig.Clone()
	if config == nil {
		config = &tls.Config{MinVersion: tls.VersionTLS12}
	}
	config.ServerName, config.InsecureSkipVerify = c.config.Host, config.InsecureSkipVerify || c.config.Insecure
	if err := c.raw.SetDeadline(time.Now().Add(c.config.Timeout)); err != nil {
		return err
	}
	secure := tls.Client(c.raw, config)
	c.wire = secure
	return secure.HandshakeContext(ctx)
}

// authenticate opens the account (RFC 4954), by PLAIN (RFC 4616) unless only
// LOGIN is offered.
func (c *conn) authenticate() error {
	client := sasl.NewPlainClient("", c.config.User, c.config.Pass)
	if !c.offers.plain && c.offers.login {
		client = sasl.NewLoginClient(c.config.User, c.config.Pass)
	}
	mechanism, first, err := client.Start()
	if err != nil {
		return fmt.Errorf("authenticate: %w", err)
	}
	command := "AUTH " + mechanism
	if first != nil {
		command += " " + base64.StdEncoding.EncodeToString(first)
	}
	for {
		s, err := c.ask(command)
		if err != nil {
			return err
		}
		if s.code == 235 {
			return nil
		}
		if s.code != 334 {
			return s.refusal("the password")
		}
		challenge, err := base64.StdEncoding.DecodeString(string(s.text))
		if err != nil {
			return errNonsense
		}
		answer, err := client.Next(challenge)
		if err != nil {
			return fmt.Errorf("authenticate: %w", err)
		}
		command = base64.StdEncoding.EncodeToString(answer)
	}
}
