package mime

import (
	"encoding/base64"
	"net"
	"net/url"
	"strings"
	"unicode/utf8"
)

const (
	maxLine = 76 // of a line with an encoded word (RFC 2047, section 2); a good length for any
	maxWord = 75 // of an encoded word (RFC 2047, section 2)
)

// headers are those written so far, and what was wrong with one.
type headers struct {
	out []byte
	err error // the first
}

func (h *headers) fail(name, why string) {
	if h.err == nil {
		h.err = badHeader(name, why)
	}
}

// line writes a header whose value is known to be good.
func (h *headers) line(name, value string) {
	h.out = append(append(append(append(h.out, name...), ": "...), value...), "\r\n"...)
}

// clean reports whether a header may be made of s at all.
func (h *headers) clean(name, s string) bool {
	if strings.ContainsAny(s, "\r\n\x00") {
		h.fail(name, "holds a line break or NUL")
		return false
	}
	if len(s) > 64<<10 {
		h.fail(name, "is too long")
		return false
	}
	return true
}

// text writes an unstructured header (RFC 5322, section 3.6.5): as it is when it
// fits on a line of ASCII, else in encoded words (RFC 2047, section 5, rule 1).
func (h *headers) text(name, value string) {
	if len(name)+2+len(value) <= maxLine && isPlain(value) {
		h.line(name, value)
		return
	}
	if !h.clean(name, value) {
		return
	}
	h.out = append(append(h.out, name...), ": "...)
	h.out, _ = appendWords(h.out, value, len(name)+2)
	h.out = append(h.out, "\r\n"...)
}

// isPlain: printable ASCII, no space at the ends, nothing that reads like an
// encoded word.
func isPlain(s string) bool {
	for i := range len(s) {
		if s[i] < ' ' || s[i] > '~' {
			return false
		}
	}
	return !strings.Contains(s, "=?") && strings.TrimSpace(s) == s
}

// named writes "name <inner>", the name a phrase in any script. inner is good.
func (h *headers) named(header, name, inner string) {
	if !h.clean(header, name) {
		return
	}
	h.out = append(append(h.out, header...), ": "...)
	column := len(header) + 2
	switch {
	case name == "":
	case isPlain(name) && len(name) <= 40:
		start := len(h.out)
		h.out = appendPhrase(h.out, name)
		column += len(h.out) - start
	default:
		h.out, column = appendWords(h.out, name, column)
	}
	if name != "" {
		if column+len(inner)+3 > maxLine {
			h.out = append(h.out, "\r\n"...)
		}
		h.out = append(h.out, ' ')
	}
	h.out = append(append(append(h.out, '<'), inner...), ">\r\n"...)
}

// appendPhrase writes plain ASCII as atoms or a quoted string (RFC 5322, sections 3.2.3 and 3.2.4).
func appendPhrase(out []byte, s string) []byte {
	bare := true
	for i := range len(s) {
		bare = bare && (atom[s[i]] || s[i] == ' ')
	}
	if bare && !strings.Contains(s, "  ") {
		return append(out, s...)
	}
	out = append(out, '"')
	for i := range len(s) {
		if s[i] == '"' || s[i] == '\\' {
			out = append(out, '\\')
		}
		out = append(out, s[i])
	}
	return append(out, '"')
}

// appendWords writes s as encoded words (RFC 2047, section 2), folded so that no
// line is longer than maxLine, the first beginning at column. It uses only
// characters that a phrase may hold (section 5, rule 3), never splits a
// character (section 5, end), and returns the column it ends at.
func appendWords(out []byte, s string, column int) ([]byte, int) {
	s = strings.ToValidUTF8(s, "\uFFFD")
	open, cost, closing := "=?utf-8?q?", qCost, "?="
	if qLen(s) > base64.StdEncoding.EncodedLen(len(s)) {
		open, cost = "=?utf-8?b?", nil
	}
	for first := true; first || s != ""; first = false {
		room := min(maxWord, maxLine-column) - len(open) - len(closing)
		n := fitting(s, room, cost)
		if n == 0 && s != "" { // not even one character: on the next line
			out, column = append(out, "\r\n "...), 1
			continue
		}
		out = append(out, open...)
		start := len(out)
		if cost == nil {
			out = base64.StdEncoding.AppendEncode(out, []byte(s[:n]))
		} else {
			out = appendQ(out, s[:n])
		}
		column += len(open) + len(out) - start + len(closing)
		out = append(out, closing...)
		if s = s[n:]; s != "" {
			out, column = append(out, "\r\n "...), 1
		}
	}
	return out, column
}

// fitting is how many bytes of s, in whole characters, encode into room. cost
// is that of one byte; nil: base64.
func fitting(s string, room int, cost func(byte) int) int {
	n, used := 0, 0
	for n < len(s) {
		_, size := utf8.DecodeRuneInString(s[n:])
		if cost == nil {
			used = base64.StdEncoding.EncodedLen(n + size)
		} else {
			for i := range size {
				used += cost(s[n+i])
			}
		}
		if used > room {
			break
		}
		n += size
	}
	return n
}

var safeInQ = setOf(func(b byte) bool { return isAlphanumeric(b) || strings.IndexByte("!*+-/", b) >= 0 })

func qCost(b byte) int {
	if safeInQ[b] || b == ' ' {
		return 1
	}
	return 3
}

func qLen(s string) (n int) {
	for i := range len(s) {
		n += qCost(s[i])
	}
	return n
}

func appendQ(out []byte, s string) []byte {
	for i := range len(s) {
		switch b := s[i]; {
		case b == ' ':
			out = append(out, '_')
		case safeInQ[b]:
			out = append(out, b)
		default:
			out = append(out, '=', hexDigits[b>>4], hexDigits[b&15])
		}
	}
	return out
}

// atom: atext of RFC 5322, section 3.2.3, and what RFC 6532, section 3.2, adds.
var atom = setOf(func(b byte) bool {
	return isAlphanumeric(b) || b >= 0x80 || strings.IndexByte("!#$%&'*+-/=?^_`{|}~", b) >= 0
})

func isAlphanumeric(b byte) bool {
	return b >= 'a' && b <= 'z' || b >= 'A' && b <= 'Z' || b >= '0' && b <= '9'
}

func isDotAtom(s string) bool {
	for i := range len(s) {
		if !atom[s[i]] && (s[i] != '.' || i == 0 || i == len(s)-1 || s[i-1] == '.') {
			return false
		}
	}
	return s != ""
}

func cutLast(s string, sep byte) (before, after string, found bool) {
	i := strings.LastIndexByte(s, sep)
	if i < 0 {
		return s, "", false
	}
	return s[:i], s[i+1:], true
}

func webHost(s string) (host string, secure, ok bool) {
	u, err := url.Parse(s)
	if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
		return "", false, false
	}
	return u.Hostname(), u.Scheme == "https", true
}

func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}
