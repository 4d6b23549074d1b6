package engine

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"log/slog"
	"math/big"
	"net/smtp"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// certify writes a certificate of its own for a name.
func (c Certificate) certify(t *testing.T, serial int64, name string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(serial), DNSNames: []string{name}, NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	for path, block := range map[string]*pem.Block{c.Chain: {Type: "CERTIFICATE", Bytes: der}, c.Key: {Type: "PRIVATE KEY", Bytes: secret}} {
		if err := os.WriteFile(path, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// serial is that of the certificate which a mail server shows; 0: it offers none.
func serial(t *testing.T, addr string) int64 {
	t.Helper()
	c, err := smtp.Dial(addr)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if offered, _ := c.Extension("STARTTLS"); !offered {
		return 0
	}
	if err := c.StartTLS(&tls.Config{InsecureSkipVerify: true}); err != nil {
		t.Fatal(err)
	}
	state, _ := c.TLSConnectionState()
	return state.PeerCertificates[0].SerialNumber.Int64()
}

// The server that takes bounces shows the certificate that lies there now, and
// does not start with one that cannot be used.
func TestBounceCertificate(t *testing.T) {
	dir := t.TempDir()
	files := Certificate{Chain: filepath.Join(dir, "chain.pem"), Key: filepath.Join(dir, "key.pem")}
	e := &Engine{options: Options{Logger: slog.New(slog.DiscardHandler)}, composer: &composer{bounce: "bounces.example.org"}}
	take := func(c Certificate) (string, error) {
		server, err := e.takeBounces(Bounces{Listen: "127.0.0.1:0", Certificate: c})
		if err != nil {
			return "", err
		}
		t.Cleanup(func() { _ = server.Close() })
		return server.Addr(), nil
	}
	for _, bad := range []Certificate{files, {Chain: files.Chain}, {Key: files.Key}} {
		if _, err := take(bad); !errors.Is(err, errCertificate) {
			t.Errorf("%+v: %v", bad, err)
		}
	}
	files.certify(t, 7, "bounces.example.org")
	addr, err := take(files)
	if err != nil {
		t.Fatal(err)
	}
	if got := serial(t, addr); got != 7 {
		t.Errorf("certificate %d", got)
	}
	files.certify(t, 8, "bounces.example.org")
	if got := serial(t, addr); got != 8 {
		t.Errorf("renewed, certificate %d", got)
	}
	if addr, err = take(Certificate{}); err != nil || serial(t, addr) != 0 {
		t.Errorf("without files: %v", err)
	}
}
