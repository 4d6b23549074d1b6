package dkim

import (
	"bytes"
	"errors"
	"strings"
)

var errEndlessHeader = errors.New("the header of the message does not end")

// headerOf is the fields of a message, whole with their ends, and where its
// body begins.
func headerOf(fields [][]byte, message []byte) (_ [][]byte, body int, err error) {
	for from := 0; body < len(message); {
		line := message[body : body+1+bytes.IndexByte(message[body:], '\n')]
		body += len(line)
		switch {
		case len(line) == 0:
			return nil, 0, errEndlessHeader
		case len(line) <= len("\r\n") && len(bytes.TrimRight(line, "\r\n")) == 0:
			return fields, body, nil
		case len(fields) > 0 && (line[0] == ' ' || line[0] == '\t'):
			fields[len(fields)-1] = message[from:body]
		default:
			from = body - len(line)
			fields = append(fields, message[from:body])
		}
	}
	return nil, 0, errEndlessHeader
}

// appendFields appends the fields of these names in relaxed form: of several
// that share a name, the last one first (RFC 6376, section 5.4.2). Those that it
// appends become nil.
func appendFields(dst []byte, fields [][]byte, names []string) []byte {
	for _, name := range names {
		for i := len(fields) - 1; i >= 0; i-- {
			if value, ok := valueOf(fields[i], name); ok {
				dst = append(appendField(dst, name, value), "\r\n"...)
				fields[i] = nil
				break
			}
		}
	}
	return dst
}

func valueOf(field []byte, name string) ([]byte, bool) {
	if len(field) < len(name) || !strings.EqualFold(string(field[:len(name)]), name) {
		return nil, false
	}
	return bytes.CutPrefix(bytes.TrimLeft(field[len(name):], " \t"), []byte(":"))
}

// appendField appends a field in relaxed form, without the line end: RFC 6376,
// section 3.4.2.
func appendField(dst []byte, name string, value []byte) []byte {
	for i := range len(name) {
		c := name[i]
		if 'A' <= c && c <= 'Z' {
			c += 'a' - 'A'
		}
		dst = append(dst, c)
	}
	return appendWords(append(dst, ':'), bytes.TrimLeft(value, " \t\r\n"))
}

// appendBody appends a body in relaxed form: RFC 6376, section 3.4.4.
func appendBody(dst, body []byte) []byte {
	end := len(dst) // of the last line that is not empty
	for line := range bytes.Lines(body) {
		from := len(dst)
		dst = appendWords(dst, line)
		empty := len(dst) == from
		dst = append(dst, "\r\n"...)
		if !empty {
			end = len(dst)
		}
	}
	return dst[:end]
}

// appendWords appends a text with one space for all white space between two
// words and in front, and none at the end.
func appendWords(dst, text []byte) []byte {
	for i := 0; i < len(text); {
		space := i
		for i < len(text) && isSpace[text[i]] {
			i++
		}
		words := i // with single spaces between them
		for i < len(text) && (!isSpace[text[i]] || text[i] == ' ' && i+1 < len(text) && !isSpace[text[i+1]]) {
			i++
		}
		if words > space && i > words {
			dst = append(dst, ' ')
		}
		dst = append(dst, text[words:i]...)
	}
	return dst
}

var isSpace = [256]bool{' ': true, '\t': true, '\r': true, '\n': true}
