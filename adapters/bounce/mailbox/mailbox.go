// Package mailbox empties mailboxes that bounces and complaints come to, by
// IMAP or POP3.
//
// A mail is marked as read or deleted once Handle has returned nil. When Handle
// errs, or the connection breaks in between, the mail stays as it was and is
// handed over again at a later visit: Handle sees some mail twice, and none is
// lost. A visit that fails is tried again, later and later.
//
// Errors hold none of the server's words, which may quote addresses.
package mailbox

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"time"
)

// Options says how to visit.
type Options struct {
	// Handle is given the first bounce.MaxBytes of a mail; it does not keep them.
	Handle   func(ctx context.Context, data []byte) error
	Interval time.Duration // between visits; 0: a minute
	Timeout  time.Duration // of a visit; 0: 10 minutes
	Logger   *slog.Logger  // nil: none
	TLS      *tls.Config   // nil: what the machine trusts
}

const (
	maxRest  = 30 * time.Minute // the longest pause after failures
	maxMails = 1000             // of one visit; the next one takes more
)

// Run visits a mailbox, as Parse reads it, until ctx is done.
func Run(ctx context.Context, box Box, o Options) {
	if o.Interval == 0 {
		o.Interval = time.Minute
	}
	if o.Timeout == 0 {
		o.Timeout = 10 * time.Minute
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	run(ctx, o, func(ctx context.Context) error { return visit(ctx, box, o) })
}

func run(ctx context.Context, o Options, visit func(context.Context) error) {
	rest := o.Interval
	for {
		err := visit(ctx)
		if rest = next(rest, o.Interval, err); err != nil && ctx.Err() == nil {
			o.Logger.Warn("the mailbox for bounces could not be emptied", "error", err, "again_in", rest.String())
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(rest):
		}
	}
}

// next is how long to rest after a visit, having rested that long before it.
func next(rest, interval time.Duration, err error) time.Duration {
	if err == nil {
		return interval
	}
	return max(interval, min(2*rest, maxRest))
}

// visit takes the mail that is there.
func visit(ctx context.Context, box Box, o Options) error {
	ctx, cancel := context.WithTimeout(ctx, o.Timeout)
	defer cancel()
	conn, err := dial(ctx, box, o.TLS)
	if err != nil {
		return explain("reach the mail server", err)
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { _ = conn.Close() })()
	if box.pop3 {
		return visitPOP3(ctx, conn, box, o)
	}
	return visitIMAP(ctx, conn, box, o)
}

// dial connects, encrypted but to this very machine.
func dial(ctx context.Context, box Box, config *tls.Config) (net.Conn, error) {
	conn, err := (&net.Dialer{Timeout: time.Minute}).DialContext(ctx, "tcp", box.addr)
	if err != nil || !box.tls {
		return conn, err
	}
	if config == nil {
		config = &tls.Config{}
	}
	config = config.Clone()
	config.ServerName = box.host
	secure := tls.Client(conn, config)
	if err := secure.HandshakeContext(ctx); err != nil {
		_ = conn.Close()
		return nil, err
	}
	return secure, nil
}

// errRefused stands for a server's words.
var errRefused = errors.New("the server refused")

// explain says what could not be done. It keeps errors of the network and
// hides those that a server words.
func explain(what string, err error) error {
	var network net.Error
	var cert *tls.CertificateVerificationError
	if errors.As(err, &network) || errors.As(err, &cert) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) ||
		errors.Is(err, net.ErrClosed) {
		return fmt.Errorf("%s: %w", what, err)
	}
	return fmt.Errorf("%s: %w", what, errRefused)
}
