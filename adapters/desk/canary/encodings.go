package canary

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"net/url"
	"strings"
	"unicode/utf16"
)

// pattern is a needle in one encoding.
type pattern struct {
	bytes    []byte
	needle   int
	encoding string
	foldable bool // may be broken by line ends
}

// encodings is every form in which text may have been written.
func encodings(needle int, text string) []pattern {
	var out []pattern
	seen := map[string]bool{}
	add := func(encoding string, foldable bool, b []byte) {
		if len(b) >= minNeedle-1 && !seen[string(b)] {
			seen[string(b)] = true
			out = append(out, pattern{b, needle, encoding, foldable})
		}
	}
	for _, c := range []struct{ name, text string }{
		{"", text}, {"lower ", strings.ToLower(text)}, {"upper ", strings.ToUpper(text)},
	} {
		raw := []byte(c.text)
		add(c.name+"plain", false, raw)
		add(c.name+"hex", false, hex.AppendEncode(nil, raw))
		add(c.name+"HEX", false, bytes.ToUpper(hex.AppendEncode(nil, raw)))
		add(c.name+"utf-16le", false, wide(c.text, binary.LittleEndian))
		add(c.name+"utf-16be", false, wide(c.text, binary.BigEndian))
		add(c.name+"latin-1", false, latin1(c.text))
		add(c.name+"json escapes", false, escaped(c.text, `\u%04x`))
		add(c.name+"JSON escapes", false, escaped(c.text, `\u%04X`))
		add(c.name+"query", false, []byte(url.QueryEscape(c.text)))
		add(c.name+"path", false, []byte(url.PathEscape(c.text)))
		for _, plain := range []string{"-._", "-._@", printable} { // writers differ
			for _, format := range []string{"%c%02X", "%c%02x"} {
				add(c.name+"percent", false, quoted(raw, plain, format, '%', 0))
				add(c.name+"quoted-printable", true, quoted(raw, plain+" ", format, '=', 0))
				add(c.name+"q-word", true, quoted(raw, plain, format, '=', '_')) // RFC 2047, section 4.2
			}
		}
		for shift := range 3 {
			std := aligned(raw, shift)
			add(fmt.Sprintf("%sbase64+%d", c.name, shift), true, std)
			add(fmt.Sprintf("%sbase64url+%d", c.name, shift), true, bytes.ReplaceAll(bytes.ReplaceAll(std, []byte("+"), []byte("-")), []byte("/"), []byte("_")))
		}
	}
	return out
}

// aligned is the part of the base64 of raw that does not depend on what stands
// around it, shift bytes after a group of three begins.
func aligned(raw []byte, shift int) []byte {
	padded := append(make([]byte, shift), raw...)
	text := base64.StdEncoding.AppendEncode(nil, padded)
	from := (shift*8 + 5) / 6
	to := len(padded) * 8 / 6
	return text[from:to]
}

func wide(text string, order binary.AppendByteOrder) []byte {
	var out []byte
	for _, u := range utf16.Encode([]rune(text)) {
		out = order.AppendUint16(out, u)
	}
	return out
}

// latin1 is nil when the text has no such form.
func latin1(text string) []byte {
	var out []byte
	for _, r := range text {
		if r > 0xff {
			return nil
		}
		out = append(out, byte(r))
	}
	return out
}

func escaped(text, format string) []byte {
	var out []byte
	for _, u := range utf16.Encode([]rune(text)) {
		if u < 0x80 {
			out = append(out, byte(u))
		} else {
			out = fmt.Appendf(out, format, u)
		}
	}
	return out
}

const printable = "!\"#$&'()*+,-./:;<>@[\\]^_`{|}~"

// quoted writes bytes as a sign and two hex digits, but for letters, digits
// and those that are plain; a space as given, 0: like any other.
func quoted(raw []byte, plain, format string, sign, space byte) []byte {
	var out []byte
	for _, b := range raw {
		switch {
		case b == ' ' && space != 0:
			out = append(out, space)
		case b == '_' && space == '_':
			out = fmt.Appendf(out, format, sign, b)
		case strings.IndexByte(plain, b) >= 0,
			'0' <= b && b <= '9', 'a' <= b && b <= 'z', 'A' <= b && b <= 'Z':
			out = append(out, b)
		default:
			out = fmt.Appendf(out, format, sign, b)
		}
	}
	return out
}

// matcher finds many patterns in one pass.
type matcher struct {
	starts  [1 << 16][]*pattern // by the first two bytes
	longest int
}

func newMatcher(needles []string) *matcher {
	m := &matcher{}
	for i, n := range needles {
		for _, p := range encodings(i, n) {
			first := binary.LittleEndian.Uint16(p.bytes)
			m.starts[first] = append(m.starts[first], &p)
			m.longest = max(m.longest, len(p.bytes))
		}
	}
	return m
}

func (m *matcher) find(in []byte, hit func(at int, p *pattern)) {
	for i := 0; i+1 < len(in); i++ {
		for _, p := range m.starts[uint16(in[i])|uint16(in[i+1])<<8] {
			if bytes.HasPrefix(in[i:], p.bytes) {
				hit(i, p)
			}
		}
	}
}
