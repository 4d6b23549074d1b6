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
	cert, roots := certificate(t)
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

func certificate(t *testing.T) (tls.Certificate, *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
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
