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

// appendQuotedPrintable writes s in quoted-printable: its line ends, of any
// kind, as CRLF; lines of at most 76 octets. Most of what composing costs is
// here, hence not mime/quotedprintable, which goes byte by byte.
func appendQuotedPrintable(out []byte, s string) []byte {
	const room = 75 // and "=" for a soft line break
	column := 0
	for i := 0; i < len(s); {
		run := i
		for limit := min(len(s), i+room-column); run < limit && literal[s[run]]; run++ {
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
		case column+3 > room || literal[b] && !atEnd: // no room for it, or just none left
			out, column = append(out, "=\r\n"...), 0
		default:
			out = append(out, '=', hexDigits[b>>4], hexDigits[b&15])
			column += 3
			i++
		}
	}
	return out
}
