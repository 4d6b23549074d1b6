package smtp

import (
	"fmt"
	"strconv"
	"strings"

	gosmtp "github.com/emersion/go-smtp"
	"golang.org/x/net/idna"

	"github.com/cleversender/cleversender/domain/delivery"
)

// replyOf is what a server's 4yz or 5yz means (RFC 5321, section 4.2.1).
func replyOf(said *gosmtp.SMTPError) delivery.Reply {
	r := delivery.Reply{Outcome: delivery.Never, Code: said.Code, Text: tidy(said.Message)}
	if said.Code/100 == 4 {
		r.Outcome = delivery.NotNow
	}
	if e := said.EnhancedCode; e[0] > 0 {
		r.Enhanced = fmt.Sprintf("%d.%d.%d", e[0], e[1], e[2])
	}
	return r
}

// splitEnhanced takes an enhanced code off the front of a reply (RFC 2034, section 4).
func splitEnhanced(s string) (enhanced, text string) {
	first, rest, _ := strings.Cut(s, " ")
	parts := strings.Split(first, ".")
	if len(parts) != 3 {
		return "", tidy(s)
	}
	for _, p := range parts {
		if n, err := strconv.Atoi(p); err != nil || n < 0 || n > 999 {
			return "", tidy(s)
		}
	}
	return first, tidy(rest)
}

// tidy bounds a reply and makes text of it.
func tidy(s string) string {
	return strings.ToValidUTF8(s[:min(len(s), delivery.MaxReply)], "\uFFFD")
}

type envelope struct {
	from, to string
	utf8     bool // the transaction needs SMTPUTF8 (RFC 6531)
}

func envelopeOf(from, to string) (e envelope, refused string) {
	var ok bool
	if e.from, ok = path(from); !ok && from != "" { // "" is the null path (RFC 5321, section 4.5.5)
		return e, "the sender's address cannot be used"
	}
	if e.to, ok = path(to); !ok {
		return e, "the recipient's address cannot be used"
	}
	e.utf8 = !isASCII(e.from) || !isASCII(e.to)
	return e, ""
}

// path is an address for MAIL or RCPT, its domain in A-labels (RFC 5321, section 2.3.5).
func path(address string) (string, bool) {
	at := strings.LastIndexByte(address, '@')
	if at < 1 || at == len(address)-1 || len(address) > 254 || strings.ContainsAny(address, "<>") {
		return "", false
	}
	for i := range len(address) {
		if address[i] <= ' ' || address[i] == 0x7f {
			return "", false
		}
	}
	if isASCII(address[at:]) {
		return address, true
	}
	host, err := idna.Lookup.ToASCII(address[at+1:])
	return address[:at+1] + host, err == nil
}

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= 0x80 {
			return false
		}
	}
	return true
}
