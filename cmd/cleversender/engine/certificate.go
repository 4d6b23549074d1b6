package engine

import (
	"crypto/tls"

	"github.com/cleversender/cleversender/domain"
)

// Certificate is where a server's certificate lies, with its chain, and its key:
// two files in PEM. Both may be empty.
type Certificate struct{ Chain, Key string }

var errCertificate = domain.Refuse("certificate_bad", "the certificate and its key are two files in PEM that belong together")

// config reads the files anew for each client, so that a certificate that was
// renewed is taken without a restart; nil without files. That both can be read
// now is checked.
func (c Certificate) config() (*tls.Config, error) {
	if c == (Certificate{}) {
		return nil, nil
	}
	read := func(*tls.ClientHelloInfo) (*tls.Certificate, error) {
		pair, err := tls.LoadX509KeyPair(c.Chain, c.Key)
		return &pair, err
	}
	if _, err := read(nil); err != nil {
		return nil, errCertificate
	}
	return &tls.Config{GetCertificate: read, MinVersion: tls.VersionTLS12}, nil
}
