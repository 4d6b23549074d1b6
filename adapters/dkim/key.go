package dkim

import (
	"crypto"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"fmt"

	"github.com/cleversender/cleversender/domain"
	"github.com/cleversender/cleversender/domain/signing"
)

// rsaBits is what is made; receivers refuse less than 1024, and many cannot
// read more than 2048 (RFC 8301, section 3.2).
const rsaBits = 2048

// Refusals of a private key that somebody brings.
var (
	ErrNotAKey  = domain.Refuse("bad_private_key", "this is not a private key in PEM: PKCS #8, or PKCS #1 for RSA, without a passphrase")
	ErrWeakKey  = domain.Refuse("weak_private_key", "an RSA key of less than 2048 bits is not safe")
	ErrLargeKey = domain.Refuse("large_private_key", "receivers do not check RSA keys of more than 4096 bits")
)

// Generate makes a private key, in PKCS #8.
func Generate(a signing.Algorithm) ([]byte, error) {
	var key any
	var err error
	switch a {
	case signing.Ed25519:
		_, key, err = ed25519.GenerateKey(rand.Reader)
	default:
		key, err = rsa.GenerateKey(rand.Reader, rsaBits)
	}
	if err != nil {
		return nil, fmt.Errorf("make a %s key: %w", a, err)
	}
	return x509.MarshalPKCS8PrivateKey(key)
}

// Import reads a private key in PEM, and returns it in PKCS #8. It refuses with
// ErrNotAKey, ErrWeakKey or ErrLargeKey.
func Import(text []byte) ([]byte, signing.Algorithm, error) {
	block, _ := pem.Decode(text)
	if block == nil {
		return nil, "", ErrNotAKey
	}
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		if key, err = x509.ParsePKCS1PrivateKey(block.Bytes); err != nil {
			return nil, "", ErrNotAKey
		}
	}
	algorithm := signing.Ed25519
	switch key := key.(type) {
	case *rsa.PrivateKey:
		switch bits := key.N.BitLen(); {
		case bits < 2048:
			return nil, "", ErrWeakKey
		case bits > 4096:
			return nil, "", ErrLargeKey
		}
		algorithm = signing.RSA
	case ed25519.PrivateKey:
	default:
		return nil, "", ErrNotAKey
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	return der, algorithm, err
}

// open reads what Generate or Import has returned.
func open(der []byte) (crypto.Signer, error) {
	key, err := x509.ParsePKCS8PrivateKey(der)
	if err != nil {
		return nil, err
	}
	signer, ok := key.(crypto.Signer)
	if !ok {
		return nil, fmt.Errorf("a key of type %T does not sign", key)
	}
	return signer, nil
}

// PublicKey is the public part of what Generate or Import has returned, as in
// the p= tag of a record: RFC 6376, section 3.6.1 for RSA, RFC 8463, section 4 for
// Ed25519, which has no structure around it.
func PublicKey(der []byte) (string, signing.Algorithm, error) {
	key, err := open(der)
	if err != nil {
		return "", "", fmt.Errorf("read a private key: %w", err)
	}
	if public, ok := key.Public().(ed25519.PublicKey); ok {
		return base64.StdEncoding.EncodeToString(public), signing.Ed25519, nil
	}
	public, err := x509.MarshalPKIXPublicKey(key.Public())
	return base64.StdEncoding.EncodeToString(public), signing.RSA, err
}
