package mime

import (
	"strings"
	"unicode/utf8"

	"golang.org/x/net/idna"
)

const maxAddress = 254 // octets (RFC 5321, section 4.5.3.1.3)

// address writes a header with one mailbox (RFC 5322, section 3.4).
func (h *headers) address(header string, a Address) {
	email, ok := ASCIIDomain(a.Email)
	if !ok {
		h.fail(header, "does not hold an address")
		return
	}
	h.named(header, a.Name, email)
}

// ASCIIDomain is an address with its domain in A-labels (RFC 5890, section
// 2.3.2.1), as it goes into headers and envelopes; ok is false when it is no
// address of the shape local@domain, or longer than 254 octets.
func ASCIIDomain(email string) (ascii string, ok bool) {
	local, domain, found := cutLast(email, '@')
	if !found || !utf8.ValidString(local) || len(local) > 64 || !isDotAtom(local) && !isQuoted(local) {
		return "", false
	}
	if !isHostname(domain) {
		mapped, err := idna.Lookup.ToASCII(domain)
		if err != nil || !isHostname(mapped) {
			return "", false
		}
		email = local + "@" + mapped
	}
	return email, len(email) <= maxAddress
}

// isQuoted: a quoted string without line breaks (RFC 5321, section 4.1.2).
func isQuoted(s string) bool {
	if len(s) < 3 || s[0] != '"' || s[len(s)-1] != '"' {
		return false
	}
	for i := 1; i < len(s)-1; i++ {
		if s[i] == '\\' {
			if i++; i >= len(s)-1 {
				return false
			}
		} else if s[i] == '"' {
			return false
		}
		if s[i] < ' ' || s[i] > '~' {
			return false
		}
	}
	return true
}

// isHostname: letters, digits and hyphens between dots (RFC 5321, section 4.1.2).
func isHostname(s string) bool {
	if s == "" || len(s) > 253 {
		return false
	}
	for label := range strings.SplitSeq(s, ".") {
		if label == "" || len(label) > 63 || label[0] == '-' || label[len(label)-1] == '-' {
			return false
		}
		for i := range len(label) {
			if b := label[i] | 0x20; (b < 'a' || b > 'z') && (label[i] < '0' || label[i] > '9') && label[i] != '-' {
				return false
			}
		}
	}
	return true
}
