package csvimport

import (
	"bytes"
	"errors"
	"io"
)

// How the reading of one record with quotes ended.
type ending int

const (
	complete ending = iota
	starved         // the text ends inside a quoted field
	bare            // something follows a closing quote
)

// readQuoted reads a record whose first line holds a quote, over as many
// lines as its quoted fields take.
func (r *Reader) readQuoted() (Record, error) {
	for {
		n, end := r.parse(r.buf[r.from:r.to])
		if end == starved && r.to-r.from <= MaxRecord && r.more() {
			continue
		}
		text := r.buf[r.from : r.from+n]
		lines := bytes.Count(text, []byte{r.newline})
		several := bytes.IndexByte(r.cut(text), r.newline) >= 0
		switch {
		case end == starved && r.err != nil && !errors.Is(r.err, io.EOF):
			return Record{}, r.err
		case end == starved, several && (end == bare || n > MaxRecord || r.Columns > 0 && len(r.fields) != r.Columns):
			// The quote swallowed what follows: only its own line is lost.
			return Record{}, r.dropLine("unclosed_quote")
		case end == bare:
			return Record{}, r.dropLine("bare_quote")
		case n > MaxRecord+2:
			return Record{}, r.dropLine("row_too_long")
		}
		rec := Record{r.line, r.fields}
		err := r.check(rec, text)
		r.take(n, max(lines, 1))
		return rec, err
	}
}

// dropLine gives up the line at hand and goes on with the next one.
func (r *Reader) dropLine(code string) error {
	bad := &RowError{r.line, code}
	_ = r.skipLine()
	return bad
}

// parse splits one record off the front of text into r.fields and says how
// many octets it took, its line end included.
func (r *Reader) parse(text []byte) (n int, end ending) {
	r.fields, r.scratch = r.fields[:0], r.scratch[:0]
	for {
		field, used, end := r.parseField(text[n:])
		n += used
		if end != complete {
			return n, end
		}
		if len(r.fields) <= MaxColumns {
			r.fields = append(r.fields, field)
		}
		switch {
		case n == len(text):
			if r.err == nil {
				return n, starved // perhaps there is more
			}
			return n, complete
		case text[n] == r.newline:
			return n + 1, complete
		case text[n] == r.comma:
			n++
		default: // the \r of a line end
			return n + 2, complete
		}
	}
}

// parseField reads up to the delimiter or the end of the line, and leaves that.
func (r *Reader) parseField(text []byte) (field []byte, used int, end ending) {
	start := 0
	for start < len(text) && (text[start] == ' ' || text[start] == '\t') && text[start] != r.comma {
		start++
	}
	if start < len(text) && text[start] == '"' {
		return r.parseQuoted(text, start+1)
	}
	n := 0
	for n < len(text) && text[n] != r.comma && text[n] != r.newline {
		n++
	}
	if n > 0 && n < len(text) && text[n] == r.newline && text[n-1] == '\r' {
		n--
	}
	return text[:n], n, complete
}

// parseQuoted reads a quoted field that opens before start.
func (r *Reader) parseQuoted(text []byte, start int) (field []byte, used int, end ending) {
	mark := len(r.scratch)
	for from := start; ; {
		i := bytes.IndexByte(text[from:], '"')
		if i < 0 {
			return nil, len(text), starved
		}
		at := from + i
		if at+1 < len(text) && text[at+1] == '"' { // "" stands for "
			r.scratch = append(r.scratch, text[from:at+1]...)
			from = at + 2
			continue
		}
		field = text[start:at]
		if from > start {
			r.scratch = append(r.scratch, text[from:at]...)
			field = r.scratch[mark:len(r.scratch):len(r.scratch)]
		}
		used, end = r.afterQuote(text, at+1)
		return field, used, end
	}
}

// afterQuote passes the spaces that may stand between a closing quote and what
// ends the field.
func (r *Reader) afterQuote(text []byte, n int) (int, ending) {
	for ; n < len(text); n++ {
		switch c := text[n]; {
		case c == r.comma || c == r.newline:
			return n, complete
		case c == '\r' && n+1 < len(text) && text[n+1] == r.newline:
			return n, complete
		case c == '\r' && n+1 == len(text):
			if r.err == nil {
				return n, starved
			}
		case c != ' ' && c != '\t':
			return n, bare
		}
	}
	return n, complete
}
