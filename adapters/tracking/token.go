// Package tracking makes and reads the signed tokens in a message's links and in
// its return path: what a click or a bounce says, and that it was us who wrote it.
//
// A token is not secret and holds no personal data: ids and numbers only. It
// is checked without a look-up. Its layout is persisted in mailboxes; it never
// changes for a kind once a message with it has left:
//
//	kind(1) key(1) campaign(16) ordinal(4) person(16) account(16)   every kind
//	link(2)                                                         click
//	list(16) expires(4)                                             unsubscribe, confirm
//	HMAC-SHA-256 over all of it, first 16 bytes (RFC 2104, section 5)
//
// Numbers are big-endian; the whole is base64url without padding (RFC 4648, section 5).
//
// The local part of a return path is made alike, of fewer fields:
//
//	kind(1) key(1) campaign(16) ordinal(4)                          bounce
//	HMAC-SHA-256 over all of it, first 16 bytes
//
// It is base32 in lower case without padding (RFC 4648, section 6), because some
// servers change the case of a local part: 61 octets. A Message-ID holds the
// same under a kind of its own, in base64url.
package tracking

import (
	"crypto/hmac"
	"encoding/base64"
	"encoding/binary"
	"strings"
	"time"

	"github.com/cleversender/cleversender/domain"
)

// Kind is what a token is for; one kind never passes for another. The numbers
// are persisted in mailboxes.
type Kind uint8

const (
	Open        Kind = 1 // the pixel of one message
	Click       Kind = 2 // one link of one message
	Unsubscribe Kind = 3 // leave the list that the message came by
	Confirm     Kind = 4 // the address is theirs (double opt-in)
)

// Token is what a link says.
type Token struct {
	Kind     Kind
	Campaign domain.ID
	Ordinal  int // the recipient's place in the campaign's audience
	Person   domain.ID
	Account  domain.ID
	Link     int       // Click: index into the campaign's frozen links, up to 65535
	List     domain.ID // Unsubscribe, Confirm
	Expires  int       // Unsubscribe, Confirm: last day it is good for, in days since 1970 (UTC); 0: for ever
}

// ErrBadToken: not a token of ours, or one that was tampered with.
var ErrBadToken = domain.Refuse("bad_token", "the link is not one that we made, or it is incomplete")

// ErrExpired: a token of ours, past its last day.
var ErrExpired = domain.Refuse("token_expired", "the link has expired")

const (
	macSize  = 16
	baseSize = 1 + 1 + 16 + 4 + 16 + 16
)

// sizeOf is the length of a kind's token without its MAC; 0: no such kind.
func sizeOf(k Kind) int {
	switch k {
	case Open:
		return baseSize
	case Click:
		return baseSize + 2
	case Unsubscribe, Confirm:
		return baseSize + 16 + 4
	default:
		return 0
	}
}

// Mint signs a token with the current key. It panics when t has no valid kind:
// a bug of the caller's, never input.
func (s *Signer) Mint(t Token) string {
	var room [192]byte
	return string(s.AppendMint(room[:0], t))
}

// AppendMint appends the signed token to dst.
func (s *Signer) AppendMint(dst []byte, t Token) []byte {
	size := sizeOf(t.Kind)
	if size == 0 {
		panic("tracking: mint a token of no kind")
	}
	var room [128]byte
	b := append(room[:0], byte(t.Kind), s.current)
	b = append(b, t.Campaign[:]...)
	b = binary.BigEndian.AppendUint32(b, uint32(t.Ordinal))
	b = append(append(b, t.Person[:]...), t.Account[:]...)
	switch t.Kind {
	case Click:
		b = binary.BigEndian.AppendUint16(b, uint16(t.Link))
	case Unsubscribe, Confirm:
		b = binary.BigEndian.AppendUint32(append(b, t.List[:]...), uint32(t.Expires))
	}
	b = s.keys[s.current].appendMAC(b, b)[:size+macSize]
	return base64.RawURLEncoding.AppendEncode(dst, b)
}

// Parse checks and reads a token: ErrBadToken, or ErrExpired once now is past
// its last day. The time it takes does not depend on how much of a MAC is right.
func (s *Signer) Parse(text string, now time.Time) (Token, error) {
	var room [128]byte
	if base64.RawURLEncoding.DecodedLen(len(text)) > len(room) || strings.ContainsAny(text, "\r\n") { // the decoder skips these
		return Token{}, ErrBadToken
	}
	b, err := strict.AppendDecode(room[:0], []byte(text))
	if err != nil || len(b) < 2 || sizeOf(Kind(b[0])) == 0 || len(b) != sizeOf(Kind(b[0]))+macSize {
		return Token{}, ErrBadToken
	}
	key, known := s.keys[b[1]]
	if !known {
		return Token{}, ErrBadToken
	}
	body, mac := b[:len(b)-macSize], b[len(b)-macSize:]
	var sum [32]byte
	if !hmac.Equal(key.appendMAC(sum[:0], body)[:macSize], mac) {
		return Token{}, ErrBadToken
	}
	t := read(body)
	if t.Expires != 0 && now.UTC().Unix() >= (int64(t.Expires)+1)*86400 {
		return Token{}, ErrExpired
	}
	return t, nil
}

// strict refuses stray bits at the end, so that a token has one spelling.
var strict = base64.RawURLEncoding.Strict()

func read(b []byte) Token {
	t := Token{
		Kind: Kind(b[0]), Campaign: domain.ID(b[2:18]), Ordinal: int(binary.BigEndian.Uint32(b[18:22])),
		Person: domain.ID(b[22:38]), Account: domain.ID(b[38:54]),
	}
	switch t.Kind {
	case Click:
		t.Link = int(binary.BigEndian.Uint16(b[54:56]))
	case Unsubscribe, Confirm:
		t.List, t.Expires = domain.ID(b[54:70]), int(binary.BigEndian.Uint32(b[70:74]))
	}
	return t
}

// Day is a time as Token.Expires counts it.
func Day(t time.Time) int { return int(t.UTC().Unix() / 86400) }
