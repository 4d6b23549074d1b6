package intake

import (
	"crypto/tls"
	"crypto/x509"
	"net/http/httptest"
	"net/smtp"
	"testing"
)

// STARTTLS is offered when there is a certificate (RFC 3207), and the limits
// hold behind it.
func TestStartTLS(t *testing.T) {
	web := httptest.NewTLSServer(nil) // for its certificate, of example.com
	defer web.Close()
	s, b := listen(t, Options{TLS: web.TLS})
	c, err := smtp.Dial(s.Addr())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	roots := x509.NewCertPool()
	roots.AddCert(web.Certificate())
	if err := c.StartTLS(&tls.Config{ServerName: "example.com", RootCAs: roots}); err != nil {
		t.Fatal(err)
	}
	if err := c.Mail(""); err != nil {
		t.Fatal(err)
	}
	if err := c.Rcpt("ann@recipient.example"); err == nil {
		t.Error("relays")
	}
	if err := c.Rcpt(ours); err != nil {
		t.Fatal(err)
	}
	w, err := c.Data()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write([]byte("Subject: x\r\n\r\nx\r\n")); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil || len(b.received()) != 1 {
		t.Error(err, len(b.received()))
	}
}
