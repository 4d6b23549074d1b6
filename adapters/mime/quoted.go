package mime

const hexDigits = "0123456789ABCDEF"

// literal: bytes that stand for themselves (RFC 2045, section 6.7, rules 2 and 3).
var literal = func() (set [256]bool) {
	for b := ' '; b <= '~'; b++ {
		set[b] = b != '='
	}
	set['\t'] = true
	return set
}()

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
			for limit := min(len(s), i+room-column); run < limit && literal[s[run]]; run++ {
			}
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
