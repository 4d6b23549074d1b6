package csvimport

import "bytes"

// begin looks at the first lines: how they end, and what stands between fields.
func (r *Reader) begin() {
	for r.to < MaxRecord && r.more() {
	}
	r.newline = newlineOf(r.buf[:r.to])
	if text, whole := r.peekLine(); whole {
		if hint, ok := bytes.CutPrefix(r.cut(text), []byte("sep=")); ok && len(hint) == 1 { // spreadsheets write it
			if r.comma == 0 {
				r.comma = hint[0]
			}
			r.take(len(text), 1)
		}
	}
	if text, _ := r.peekLine(); r.comma == 0 {
		r.comma = delimiterOf(text)
	}
}

// newlineOf is \n, or \r when lines end in that alone.
func newlineOf(text []byte) byte {
	quoted := false
	for i, c := range text {
		switch {
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '\n':
			return '\n'
		case c == '\r' && i+1 < len(text) && text[i+1] != '\n':
			return '\r'
		}
	}
	return '\n'
}

// delimiterOf is what occurs most outside the quotes of a header line.
func delimiterOf(header []byte) byte {
	counts, quoted := [256]int{}, false
	for _, c := range header {
		if c == '"' {
			quoted = !quoted
		}
		if !quoted {
			counts[c]++
		}
	}
	best := byte(',')
	for _, c := range []byte(";\t") {
		if counts[c] > counts[best] {
			best = c
		}
	}
	return best
}
