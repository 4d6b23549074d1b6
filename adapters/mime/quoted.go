package mime

const hexDigits = "0123456789ABCDEF"

// literal: bytes that stand for themselves (RFC 2045, section 6.7, rules 2 and 3).
var literal = setOf(func(b byte) bool { return b >= ' ' && b <= '~' && b != '=' || b == '\t' })

// setOf is a set that costs one look-up.
func setOf(member func(byte) bool) (set [256]bool) {
	for b := range set {
		set[b] = member(byte(b))
	}
	return set
}

// literals is how many bytes at the start of s stand for themselves. A tracked
// link is little else, so it looks at eight at a time.
func literals[T string | []byte](s T) (n int) {
	for ; n+8 <= len(s); n += 8 {
		w := uint64(s[n]) | uint64(s[n+1])<<8 | uint64(s[n+2])<<16 | uint64(s[n+3])<<24 |
			uint64(s[n+4])<<32 | uint64(s[n+5])<<40 | uint64(s[n+6])<<48 | uint64(s[n+7])<<56
		equals := w ^ '='*each
		if ((w-' '*each)|(w+each)|(equals-each)&^equals)&(0x80*each) != 0 { // below ' ' or 0xff, from 0x7f on, or =
			break
		}
	}
	for n < len(s) && literal[s[n]] {
		n++
	}
	return n
}

const each = 0x0101010101010101 // of a word's bytes

// appendQuotedPrintable writes s in quoted-printable from a column on, and
// returns the column it ends at: line ends of any kind as CRLF; lines of at
// most 76 octets, none of which begins with a dot, so that no server need look
// for one (RFC 5321, section 4.5.2). Most of what composing costs is here,
// hence not mime/quotedprintable, which goes byte by byte.
func appendQuotedPrintable[T string | []byte](out []byte, s T, column int) ([]byte, int) {
	const room = 75 // and "=" for a soft line break
	for i := 0; i < len(s); {
		run := i
		if column > 0 || s[i] != '.' {
			run += literals(s[i:min(len(s), i+room-column)])
		}
		atEnd := run == len(s) || s[run] == '\r' || s[run] == '\n'
		if atEnd && run > i && (s[run-1] == ' ' || s[run-1] == '\t') {
			run-- // white space at a line's end is encoded (rule 3)
		}
		out = append(out, s[i:run]...)
		column += run - i
		if i = run; i == len(s) {
			break
		}
		b := s[i]
		switch {
		case b == '\r' && i+1 < len(s) && s[i+1] == '\n':
			out, column = append(out, "\r\n"...), 0
			i += 2
		case b == '\r' || b == '\n':
			out, column = append(out, "\r\n"...), 0
			i++
		case column+3 > room || literal[b] && !atEnd && column > 0: // no room for it, or just none left
			out, column = append(out, "=\r\n"...), 0
		default:
			out = append(out, '=', hexDigits[b>>4], hexDigits[b&15])
			column += 3
			i++
		}
	}
	return out, column
}
