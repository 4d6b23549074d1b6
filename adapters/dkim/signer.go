// Package dkim makes keys for DKIM and signs messages with them (RFC 6376, RFC
// 8301, RFC 8463).
//
// What a signature covers is read by receivers in its relaxed form, and stays
// valid when servers on the way fold headers or strip spaces at line ends. A
// header named here that a message lacks cannot be added to it, nor a second From.
package dkim

import (
	"fmt"
	"slices"

	"github.com/emersion/go-msgauth/dkim"
)

// covered is what each signature covers besides the body: RFC 6376, section
// 5.4.1, and what one-click unsubscription asks for (RFC 8058, section 4).
var covered = []string{
	"From", "From", "To", "Subject", "Date", "Message-ID", "Reply-To",
	"MIME-Version", "Content-Type", "Content-Transfer-Encoding",
	"List-Id", "List-Unsubscribe", "List-Unsubscribe-Post", "Feedback-ID",
}

// Key is a key of a domain.
type Key struct {
	Domain, Selector string // in A-labels
	Private          []byte // PKCS #8
}

// Signer signs with the same keys, for many goroutines at once. One without
// keys leaves messages as they are.
type Signer struct{ with []dkim.SignOptions }

// NewSigner reads the keys.
func NewSigner(keys []Key) (*Signer, error) {
	s := &Signer{}
	for _, k := range keys {
		key, err := open(k.Private)
		if err != nil {
			return nil, fmt.Errorf("read the private key %s of %s: %w", k.Selector, k.Domain, err)
		}
		s.with = append(s.with, dkim.SignOptions{
			Domain: k.Domain, Selector: k.Selector, Signer: key, HeaderKeys: covered,
			HeaderCanonicalization: dkim.CanonicalizationRelaxed, BodyCanonicalization: dkim.CanonicalizationRelaxed,
		})
	}
	return s, nil
}

// Sign puts a signature of each key in front of the message that buf[at:] is,
// and returns the longer buf. What is in front of at is left alone.
func (s *Signer) Sign(buf []byte, at int) ([]byte, error) {
	var made []byte
	for i := range s.with {
		one, err := sign(&s.with[i], buf[at:])
		if err != nil {
			return nil, fmt.Errorf("sign as %s of %s: %w", s.with[i].Selector, s.with[i].Domain, err)
		}
		made = append(made, one...)
	}
	return slices.Insert(buf, at, made...), nil
}

func sign(with *dkim.SignOptions, message []byte) (string, error) {
	signer, err := dkim.NewSigner(with)
	if err != nil {
		return "", err
	}
	if _, err := signer.Write(message); err != nil {
		_ = signer.Close() // the first error counts
		return "", err
	}
	if err := signer.Close(); err != nil {
		return "", err
	}
	return signer.Signature(), nil
}
