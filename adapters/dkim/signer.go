// Package dkim makes keys for DKIM and signs messages with them (RFC 6376, RFC
// 8301, RFC 8463).
//
// What a signature covers is read by receivers in its relaxed form, and stays
// valid when servers on the way fold headers or strip spaces at line ends. A
// header named here that a message lacks cannot be added to it, nor a second From.
package dkim

import (
	"crypto"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
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
type Signer struct{ with []signatory }

// signatory is a key that is ready to sign.
type signatory struct {
	Key
	crypto.Signer
	hash crypto.Hash // that the signature names; 0 for Ed25519, which does not
	tags string      // of the signature, as far as all messages share them
}

// NewSigner reads the keys.
func NewSigner(keys []Key) (*Signer, error) {
	s := &Signer{}
	for _, k := range keys {
		key, err := open(k.Private)
		if err != nil {
			return nil, fmt.Errorf("read the private key %s of %s: %w", k.Selector, k.Domain, err)
		}
		with := signatory{Key: k, Signer: key, hash: crypto.SHA256}
		algorithm := "rsa-sha256"
		if _, ok := key.Public().(ed25519.PublicKey); ok {
			with.hash, algorithm = 0, "ed25519-sha256"
		}
		var names []string // in lines
		for some := range slices.Chunk(covered, 4) {
			names = append(names, strings.Join(some, ":"))
		}
		with.tags = " v=1; a=" + algorithm + "; c=relaxed/relaxed;\r\n d=" + k.Domain + ";\r\n s=" + k.Selector +
			";\r\n h=" + strings.Join(names, ":\r\n  ") + ";\r\n t="
		s.with = append(s.with, with)
	}
	return s, nil
}

// room is what signing a message needs, and the next one again.
type room struct {
	fields     [][]byte
	text, made []byte
}

var rooms = sync.Pool{New: func() any { return new(room) }}

// Sign puts a signature of each key in front of the message that buf[at:] is,
// whose lines end in CRLF, and returns the longer buf. What is in front of at is
// left alone.
func (s *Signer) Sign(buf []byte, at int) ([]byte, error) {
	if len(s.with) == 0 {
		return buf, nil
	}
	r := rooms.Get().(*room)
	defer rooms.Put(r)
	fields, body, err := headerOf(r.fields[:0], buf[at:])
	if err != nil {
		return nil, err
	}
	r.text = appendBody(r.text[:0], buf[at+body:])
	bodyHash := sha256.Sum256(r.text)
	r.text, r.fields, r.made = appendFields(r.text[:0], fields, covered), fields, r.made[:0]
	for _, k := range s.with {
		if err := k.sign(r, bodyHash, time.Now()); err != nil {
			return nil, fmt.Errorf("sign as %s of %s: %w", k.Selector, k.Domain, err)
		}
	}
	return slices.Insert(buf, at, r.made...), nil
}

const fieldName = "DKIM-Signature"

// sign appends to r.made the signature of the fields in r.text: RFC 6376,
// sections 3.5 and 3.7.
func (k *signatory) sign(r *room, bodyHash [sha256.Size]byte, now time.Time) error {
	r.made = append(append(r.made, fieldName...), ':')
	from := len(r.made)
	r.made = strconv.AppendInt(append(r.made, k.tags...), now.Unix(), 10)
	r.made = base64.StdEncoding.AppendEncode(append(r.made, ";\r\n bh="...), bodyHash[:])
	r.made = append(r.made, ";\r\n b="...)

	header := len(r.text)
	r.text = appendField(r.text, fieldName, r.made[from:])
	hash := sha256.Sum256(r.text)
	r.text = r.text[:header]
	signature, err := k.Sign(rand.Reader, hash[:], k.hash)
	if err != nil {
		return err
	}
	for part := range slices.Chunk(signature, lineBytes) {
		r.made = append(base64.StdEncoding.AppendEncode(r.made, part), "\r\n "...)
	}
	r.made = append(r.made[:len(r.made)-len("\r\n ")], "\r\n"...)
	return nil
}

// lineBytes is how much of a signature is in one line; no padding before the last.
const lineBytes = 54
