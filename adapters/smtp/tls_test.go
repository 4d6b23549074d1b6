package smtp

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"log"
	"math/big"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-sasl"
	gosmtp "github.com/emersion/go-smtp"

	"github.com/cleversender/cleversender/domain/delivery"
)

// secure is a real server with a certificate of its own making and one account.
func secure(t *testing.T, implicit bool) (addr string, roots *x509.CertPool) {
	t.Helper()
	return secureUntil(t, implicit, time.Now().Add(time.Hour))
}

func secureUntil(t *testing.T, implicit bool, expires time.Time) (addr string, roots *x509.CertPool) {
	t.Helper()
	cert, roots := certificate(t, expires)
	server := gosmtp.NewServer(gosmtp.BackendFunc(func(*gosmtp.Conn) (gosmtp.Session, error) { return &account{}, nil }))
	server.TLSConfig = &tls.Config{Certificates: []tls.Certificate{cert}, MinVersion: tls.VersionTLS12}
	server.ErrorLog = log.New(io.Discard, "", 0)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr = l.Addr().String()
	if implicit {
		l = tls.NewListener(l, server.TLSConfig)
	}
	go func() { _ = server.Serve(l) }()
	t.Cleanup(func() { _ = server.Close() })
	return addr, roots
}

func certificate(t *testing.T, expires time.Time) (tls.Certificate, *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotAfter: expires, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	parsed, _ := x509.ParseCertificate(der)
	roots := x509.NewCertPool()
	roots.AddCert(parsed)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, roots
}

// account is a session that takes mail from one user.
type account struct{ known bool }

func (a *account) AuthMechanisms() []string { return []string{sasl.Plain} }

func (a *account) Auth(string) (sasl.Server, error) {
	return sasl.NewPlainServer(func(_, user, password string) error {
		if a.known = user == "user" && password == "p@ss"; !a.known {
			return errors.New("no")
		}
		return nil
	}), nil
}

func (a *account) Mail(string, *gosmtp.MailOptions) error {
	if !a.known {
		return gosmtp.ErrAuthRequired
	}
	return nil
}
func (a *account) Rcpt(string, *gosmtp.RcptOptions) error { return nil }
func (a *account) Data(r io.Reader) error                 { _, err := io.Copy(io.Discard, r); return err }
func (a *account) Reset()                                 {}
func (a *account) Logout() error                          { return nil }

// Encryption is used when offered or from the start, a certificate is checked
// unless told otherwise, and the password opens the account.
func TestTLS(t *testing.T) {
	start, startRoots := secure(t, false)
	implicit, implicitRoots := secure(t, true)
	for _, c := range []struct {
		url   string
		roots *x509.CertPool
		want  delivery.Outcome
	}{
		{"smtp://user:p%40ss@" + start, startRoots, delivery.Taken},
		{"smtps://user:p%40ss@" + implicit, implicitRoots, delivery.Taken},
		{"smtp://user:p%40ss@" + start + "?insecure=true", nil, delivery.Taken},
		{"smtp://user:p%40ss@" + start, nil, delivery.NotSent},
		{"smtp://user:p%40ss@" + start, implicitRoots, delivery.NotSent},
		{"smtps://user:p%40ss@" + implicit, nil, delivery.NotSent},
		{"smtp://user:wrong@" + start, startRoots, delivery.NotSent},
		{"smtp://" + start, startRoots, delivery.Never},
	} {
		config, err := Parse(c.url)
		if err != nil {
			t.Fatal(err)
		}
		if c.roots != nil {
			config.TLSConfig = &tls.Config{RootCAs: c.roots, MinVersion: tls.VersionTLS12}
		}
		p := Open(config)
		r := p.Send(t.Context(), from, to, []byte(body))
		if r.Outcome != c.want || strings.Contains(r.Text, "p@ss") {
			t.Errorf("%s: %+v", c.url, r)
		}
		_ = p.Close()
	}
}

// A password does not leave in the clear, and a session that must be encrypted
// is not held otherwise.
func TestNeedsEncryption(t *testing.T) {
	said := make(chan string, 100)
	s := serve(t, func(_ int, command string) string {
		said <- command
		if command == "EHLO" {
			return "250-hi\r\n250 AUTH PLAIN"
		}
		return polite(command)
	})
	for _, url := range []string{"smtp://u:p@" + s.addr, "smtp://" + s.addr + "?starttls=required"} {
		config, _ := Parse(url)
		config.Host = "mail.example.org" // not this machine
		p := Open(config)
		if r := p.Send(t.Context(), from, to, []byte(body)); r.Outcome != delivery.NotSent {
			t.Errorf("%s: %+v", url, r)
		}
		_ = p.Close()
	}
	for len(said) > 0 {
		if c := <-said; c == "AUTH" || c == "MAIL" {
			t.Errorf("said %s", c)
		}
	}
}

// What goes wrong before the first command says nothing about the message.
func TestNoSession(t *testing.T) {
	plain := serve(t, func(_ int, command string) string { return polite(command) })
	implicit, _ := secure(t, true)
	expired, roots := secureUntil(t, true, time.Now().Add(-time.Hour))
	intruder := serve(t, func(_ int, command string) string {
		switch command {
		case "EHLO":
			return "250-hi\r\n250 STARTTLS"
		case "STARTTLS":
			return "220 go on\r\n250 not encrypted" // RFC 3207, section 6
		}
		return polite(command)
	})
	for _, c := range []struct{ url, want string }{
		{"smtps://" + plain.addr, "does not look like a TLS handshake"},
		{"smtp://" + implicit + "?timeout=200ms", ""}, // it waits for us, and we for it
		{"smtps://" + expired, "expired"},
		{"smtp://" + intruder.addr, errNonsense.Error()},
		{"smtp://mail.invalid?timeout=2s", "mail.invalid"}, // RFC 6761, section 6.4
	} {
		config, err := Parse(c.url)
		if err != nil {
			t.Fatal(err)
		}
		config.TLSConfig = &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}
		p := Open(config)
		r := p.Send(t.Context(), from, to, []byte(body))
		if r.Outcome != delivery.NotSent || r.Code != 0 || !strings.Contains(r.Text, c.want) {
			t.Errorf("%s: %+v", c.url, r)
		}
		if err := p.Check(t.Context()); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", c.url, err)
		}
		_ = p.Close()
	}
}

// An account is opened by LOGIN where PLAIN is not offered; a refusal is told
// without the server's words, which may quote a name.
func TestLogin(t *testing.T) {
	s := listen(t, func(q question) string {
		switch {
		case q.command == "EHLO":
			return "250-hi\r\n250 AUTH LOGIN"
		case q.line == "AUTH LOGIN dXNlcg==": // user
			return "334 UGFzc3dvcmQ6"
		case q.line == "cEBzcw==": // p@ss
			return "235 2.7.0 welcome"
		case q.line == "d3Jvbmc=": // wrong
			return "535 5.7.8 no user@example.org here"
		}
		return polite(q.command)
	})
	p := open(t, "smtp://user:p%40ss@"+s.addr)
	if err := p.Check(t.Context()); err != nil {
		t.Errorf("%v after %+v", err, s.heard())
	}
	if r := p.Send(t.Context(), from, to, []byte(body)); r.Outcome != delivery.Taken || s.connections.Load() != 1 {
		t.Errorf("%+v over %d connections", r, s.connections.Load())
	}
	err := open(t, "smtp://user:wrong@"+s.addr).Check(t.Context())
	if err == nil || !strings.Contains(err.Error(), "535 5.7.8") || strings.Contains(err.Error(), "@") {
		t.Errorf("got %v", err)
	}
}

// A server that knows no EHLO is greeted as one of old, and offers nothing.
func TestHelo(t *testing.T) {
	s := listen(t, func(q question) string {
		if q.command == "EHLO" {
			return "502 5.5.1 what"
		}
		return polite(q.command)
	})
	if r := open(t, "smtp://"+s.addr).Send(t.Context(), from, to, []byte(body)); r.Outcome != delivery.Taken {
		t.Errorf("%+v", r)
	}
}
