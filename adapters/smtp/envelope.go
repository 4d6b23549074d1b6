package smtp

import (
	"bytes"
	"encoding/binary"
	"strconv"
	"strings"

	"golang.org/x/net/idna"
)

// envelope is what the commands before the content say.
type envelope struct {
	from, to string
	utf8     bool // the transaction needs SMTPUTF8 (RFC 6531)
	eightBit bool // the content has octets above 127
	size     int  // of the content
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

// The steps of an envelope.
const (
	stepMail = iota
	stepRcpt
	stepData
)

// command appends one step of the envelope, with the parameters that the server
// offered: SIZE (RFC 1870), BODY (RFC 6152), SMTPUTF8 (RFC 6531).
func (e *envelope) command(dst []byte, step int, offers offers) []byte {
	switch step {
	case stepMail:
		dst = append(dst, "MAIL FROM:<"...)
		dst = append(dst, e.from...)
		dst = append(dst, '>')
		if offers.size {
			dst = strconv.AppendInt(append(dst, " SIZE="...), int64(e.size), 10)
		}
		if offers.eightBit && e.eightBit {
			dst = append(dst, " BODY=8BITMIME"...)
		}
		if e.utf8 {
			dst = append(dst, " SMTPUTF8"...)
		}
	case stepRcpt:
		dst = append(dst, "RCPT TO:<"...)
		dst = append(dst, e.to...)
		dst = append(dst, '>')
	case stepData:
		dst = append(dst, "DATA"...)
	}
	return append(dst, "\r\n"...)
}

// stuff appends a piece of a content, dots at the start of lines doubled (RFC
// 5321, section 4.5.2). before is the octet in front of the piece.
func stuff(dst, piece []byte, before byte) []byte {
	if before == '\n' && len(piece) > 0 && piece[0] == '.' {
		dst = append(dst, '.')
	}
	for {
		i := bytes.Index(piece, []byte("\n."))
		if i < 0 {
			return append(dst, piece...)
		}
		dst = append(append(dst, piece[:i+2]...), '.')
		piece = piece[i+2:]
	}
}

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= 0x80 {
			return false
		}
	}
	return true
}

// sevenBit is isASCII for whole messages, 32 octets at a time.
func sevenBit(b []byte) bool {
	for ; len(b) >= 32; b = b[32:] {
		if (binary.LittleEndian.Uint64(b)|binary.LittleEndian.Uint64(b[8:])|
			binary.LittleEndian.Uint64(b[16:])|binary.LittleEndian.Uint64(b[24:]))&0x8080808080808080 != 0 {
			return false
		}
	}
	for _, c := range b {
		if c >= 0x80 {
			return false
		}
	}
	return true
}
