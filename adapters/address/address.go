// Package address says whether something is an e-mail address, and which one.
//
// It takes the part of RFC 5321, section 4.1.2 that people use: one local part
// in dot-atom form and one domain name. Quoted local parts, comments, display
// names and address literals are refused: they are a mistake or an attack far
// more often than an address. Local parts may be UTF-8 (RFC 6531, section 3.3).
package address

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/net/idna"
	"golang.org/x/text/unicode/norm"

	"github.com/cleversender/cleversender/domain"
)

// Limits of RFC 5321, section 4.5.3.1, and of RFC 3696, erratum 1690, in octets.
const (
	maxAddress = 254
	maxLocal   = 64
	maxLabel   = 63
)

// Refusals. None repeats the value.
var (
	ErrEmpty    = domain.Refuse("no_address", "the e-mail address is missing")
	ErrBad      = domain.Refuse("bad_address", "this is not an e-mail address")
	ErrTooLong  = domain.Refuse("address_too_long", "the e-mail address is longer than 254 octets, or its local part than 64")
	ErrBadUTF8  = domain.Refuse("bad_encoding", "the e-mail address is not UTF-8")
	ErrControls = domain.Refuse("address_has_controls", "the e-mail address holds a space, a line break or another control character")
	ErrDomain   = domain.Refuse("bad_domain", "what follows the @ is not a domain name")
)

// Address is one mailbox in two forms.
type Address struct {
	// Plain is for sending and for showing: the local part as given (in NFC),
	// the domain in lower-case ASCII form (A-labels, RFC 5890).
	Plain string
	// Normal is for telling people apart: two addresses are the same person
	// when their Normal is equal. The local part is in lower case, although RFC
	// 5321, section 2.4, leaves that to the receiver: no provider of note tells
	// Ann from ann, and two copies of a newsletter are the likelier harm.
	Normal string
}

// Parse reads one address; spaces around it do not count. Its errors are
// domain.Refusal and never repeat the value.
func Parse(raw string) (Address, error) {
	raw = strings.TrimSpace(raw)
	if raw == "" {
		return Address{}, ErrEmpty
	}
	if a, ok := parseCommon(raw); ok {
		return a, nil
	}
	return parse(raw)
}

// Forms is Parse for callers that only want strings.
func Forms(raw string) (plain, normal string, err error) {
	a, err := Parse(raw)
	return a.Plain, a.Normal, err
}

func parse(raw string) (Address, error) {
	if len(raw) > maxAddress*4 {
		return Address{}, ErrTooLong
	}
	if err := characters(raw); err != nil {
		return Address{}, err
	}
	local, host, ok := strings.Cut(raw, "@")
	if !ok || strings.Contains(host, "@") {
		return Address{}, ErrBad
	}
	local = norm.NFC.String(local)
	if err := checkLocal(local); err != nil {
		return Address{}, err
	}
	host, err := asciiDomain(host)
	if err != nil {
		return Address{}, err
	}
	if len(local)+1+len(host) > maxAddress {
		return Address{}, ErrTooLong
	}
	lower := norm.NFC.String(strings.ToLower(local))
	return Address{Plain: local + "@" + host, Normal: lower + "@" + host}, nil
}

// characters refuses what no part of an address may hold.
func characters(raw string) error {
	if !utf8.ValidString(raw) {
		return ErrBadUTF8
	}
	for _, r := range raw {
		// Cf holds the invisible and the direction-changing characters.
		if unicode.IsControl(r) || unicode.IsSpace(r) || unicode.In(r, unicode.Cf, unicode.Zl, unicode.Zp, unicode.Co) || r == utf8.RuneError {
			return ErrControls
		}
	}
	return nil
}

// checkLocal holds a local part to the dot-atom of RFC 5322, section 3.2.3,
// with UTF-8 allowed in its atoms (RFC 6532, section 3.2).
func checkLocal(local string) error {
	switch {
	case local == "" || local[0] == '.' || local[len(local)-1] == '.' || strings.Contains(local, ".."):
		return ErrBad
	case len(local) > maxLocal:
		return ErrTooLong
	}
	for i := range len(local) {
		if c := local[i]; c < utf8.RuneSelf && c != '.' && !atext[c] {
			return ErrBad
		}
	}
	return nil
}

// asciiDomain turns a domain into lower-case A-labels (IDNA 2008 by UTS 46,
// the look-up profile) of at least two labels, the last not a number.
func asciiDomain(host string) (string, error) {
	host = strings.TrimSuffix(host, ".")
	ascii, err := idna.Lookup.ToASCII(host)
	if err != nil {
		return "", ErrDomain
	}
	labels := strings.Split(ascii, ".")
	for _, label := range labels {
		if !isLabel(label) {
			return "", ErrDomain
		}
	}
	if len(labels) < 2 || isNumber(labels[len(labels)-1]) {
		return "", ErrDomain
	}
	return ascii, nil
}

// isLabel is the letter-digit-hyphen rule of RFC 5890, section 2.3.1.
func isLabel(label string) bool {
	if label == "" || len(label) > maxLabel || label[0] == '-' || label[len(label)-1] == '-' {
		return false
	}
	for i := range len(label) {
		if c := label[i]; c != '-' && !isDigit(c) && (c < 'a' || c > 'z') {
			return false
		}
	}
	return true
}

func isNumber(s string) bool {
	for i := range len(s) {
		if !isDigit(s[i]) {
			return false
		}
	}
	return true
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }
