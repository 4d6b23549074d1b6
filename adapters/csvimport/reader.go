package csvimport

import (
	"bytes"
	"errors"
	"io"
	"unicode/utf8"
)

// Limits of one record.
const (
	MaxRecord  = 64 << 10 // octets
	MaxColumns = 200
)

// RowError is a record that cannot be used. The one after it can be read.
type RowError struct {
	Line int    // where the record begins, from 1
	Code string // row_too_long, too_many_columns, unclosed_quote, bare_quote or bad_encoding
}

func (e *RowError) Error() string { return e.Code }

// Record is one line of values, unquoted. It is good until the next Read.
type Record struct {
	Line   int // where it begins, from 1
	Fields [][]byte
}

// Reader reads the records of a CSV text (RFC 4180) in UTF-8, and more than
// the RFC: it goes on after a bad record. A quote inside an unquoted field
// stands for itself. A quoted field that never ends, or that swallowed the
// lines after it, costs the line that it began on.
type Reader struct {
	// Columns is how many fields the header has. 0: not known yet. Records
	// may have fewer; more is an error, unless the rest is empty.
	Columns int

	src     io.Reader
	buf     []byte
	from    int // buf[from:to] is read and not used yet
	to      int
	err     error // of src, io.EOF included
	line    int   // of buf[from]
	comma   byte
	newline byte
	fields  [][]byte
	scratch []byte // holds fields that had to be unescaped
}

// NewReader reads UTF-8 text from src. comma is the delimiter: 0 finds out
// whether it is a comma, a semicolon or a tab.
func NewReader(src io.Reader, comma byte) *Reader {
	return &Reader{src: src, buf: make([]byte, 4*MaxRecord), line: 1, comma: comma}
}

// Read returns the next record that is not empty, a *RowError, io.EOF, or an
// error of the source after which nothing more can be read.
func (r *Reader) Read() (Record, error) {
	if r.newline == 0 {
		r.begin()
	}
	for {
		text, whole := r.peekLine()
		if text == nil {
			return Record{}, r.err
		}
		if !whole || len(text) > MaxRecord {
			return Record{}, r.skipLine()
		}
		body := r.cut(text)
		if len(body) == 0 {
			r.take(len(text), 1)
			continue
		}
		if bytes.IndexByte(body, '"') >= 0 {
			return r.readQuoted()
		}
		rec := Record{r.line, r.split(body)}
		err := r.check(rec, body)
		r.take(len(text), 1)
		return rec, err
	}
}

// peekLine returns the next line with its end; nil at the end of the text or
// at an error. whole is false when the line is longer than a record may be.
func (r *Reader) peekLine() (text []byte, whole bool) {
	seen := 0
	for {
		if i := bytes.IndexByte(r.buf[r.from+seen:r.to], r.newline); i >= 0 {
			return r.buf[r.from : r.from+seen+i+1], true
		}
		seen = r.to - r.from
		if seen > MaxRecord+2 {
			return r.buf[r.from:r.to], false
		}
		if !r.more() {
			break
		}
	}
	if r.from == r.to || !errors.Is(r.err, io.EOF) {
		return nil, true
	}
	return r.buf[r.from:r.to], true
}

// more reads on; false when nothing came.
func (r *Reader) more() bool {
	if r.err != nil {
		return false
	}
	if r.to == len(r.buf) {
		copy(r.buf, r.buf[r.from:r.to])
		r.from, r.to = 0, r.to-r.from
	}
	before := r.to
	for r.err == nil && r.to == before {
		var n int
		n, r.err = r.src.Read(r.buf[r.to:])
		r.to += n
	}
	return r.to > before
}

// take moves past n octets that hold lines line ends.
func (r *Reader) take(n, lines int) {
	r.from += n
	r.line += lines
}

// cut takes off the end of a line.
func (r *Reader) cut(text []byte) []byte {
	if n := len(text); n > 0 && text[n-1] == r.newline {
		text = text[:n-1]
	}
	if n := len(text); n > 0 && text[n-1] == '\r' {
		text = text[:n-1]
	}
	return text
}

// skipLine throws away a line of any length without holding it.
func (r *Reader) skipLine() error {
	bad := &RowError{r.line, "row_too_long"}
	for {
		if i := bytes.IndexByte(r.buf[r.from:r.to], r.newline); i >= 0 {
			r.take(i+1, 1)
			return bad
		}
		r.from = r.to
		if !r.more() {
			r.line++
			return bad
		}
	}
}

func (r *Reader) split(body []byte) [][]byte {
	r.fields = r.fields[:0]
	for len(r.fields) <= MaxColumns {
		i := bytes.IndexByte(body, r.comma)
		if i < 0 {
			r.fields = append(r.fields, body)
			break
		}
		r.fields = append(r.fields, body[:i])
		body = body[i+1:]
	}
	return r.fields
}

// check refuses a record that was read but cannot be meant.
func (r *Reader) check(rec Record, body []byte) error {
	if bytes.IndexByte(body, 0) >= 0 || !utf8.Valid(body) {
		return &RowError{rec.Line, "bad_encoding"}
	}
	if len(rec.Fields) > MaxColumns {
		return &RowError{rec.Line, "too_many_columns"}
	}
	if r.Columns > 0 && len(rec.Fields) > r.Columns {
		for _, f := range rec.Fields[r.Columns:] {
			if len(bytes.TrimSpace(f)) > 0 {
				return &RowError{rec.Line, "too_many_columns"}
			}
		}
	}
	return nil
}

// Lines is how many lines have been read.
func (r *Reader) Lines() int { return r.line - 1 }
