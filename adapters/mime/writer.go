package mime

import (
	"strings"
	"time"
)

// Own is what one message says, and no other. To, Date and MessageID must be there.
type Own struct {
	To             Address
	Subject        string // unless it is common
	Date           time.Time
	MessageID      string // "id@domain", without angle brackets
	UnsubscribeURL string // at which one POST, with no further question, unsubscribes (RFC 2369; RFC 8058)
}

// Writer makes one message: Begin, then for each body Next and what it consists
// of, in order, then End. Writes do not fail.
type Writer struct {
	layout *Layout
	out    []byte
	body   int // the next one
	runs   []run
	column int
	cr     bool // a carriage return was last
}

// Begin writes the headers to the end of dst. Its errors are refusals with CodeBadHeader.
func (l *Layout) Begin(dst []byte, own Own) (Writer, error) {
	h := headers{out: append(dst, l.head...)}
	h.address("To", own.To)
	if !l.subject {
		h.text("Subject", own.Subject)
	}
	l.dates.write(&h, own.Date)
	h.messageID(own.MessageID)
	if l.echo != "" {
		local, _, _ := strings.Cut(own.MessageID, "@")
		h.line(l.echo, local)
	}
	if url := own.UnsubscribeURL; url != "" {
		if l.unsubscribe == "" || !strings.HasPrefix(url, l.unsubscribe) {
			h.fail("List-Unsubscribe", "begins with another address")
		}
		h.inAngles("List-Unsubscribe", url) // RFC 2369, section 3.2
	}
	return Writer{layout: l, out: append(h.out, l.tail...)}, h.err
}

// Next begins the text body, and then the HTML body.
func (w *Writer) Next() {
	b := w.layout.bodies[w.body]
	w.out = append(w.out, b.opening...)
	w.body++
	w.runs, w.column, w.cr = b.runs, 0, false
}

// Fixed writes the body's fixed text i. It begins on a line of its own encoding:
// what was written before leaves no trace in it.
func (w *Writer) Fixed(i int) {
	r := &w.runs[i]
	encoded := r.encoded
	switch {
	case len(encoded) == 0:
		return
	case w.column > 0:
		w.out = append(w.out, "=\r\n"...)
	case w.cr && r.lf:
		encoded = encoded[len("\r\n"):] // written for the carriage return
	}
	w.out = append(w.out, encoded...)
	w.column, w.cr = r.column, r.cr
}

// Write writes what differs from message to message.
func (w *Writer) Write(b []byte) (int, error) {
	write(w, b)
	return len(b), nil
}

// WriteString writes what differs from message to message.
func (w *Writer) WriteString(s string) (int, error) {
	write(w, s)
	return len(s), nil
}

func write[T string | []byte](w *Writer, s T) {
	if len(s) == 0 {
		return
	}
	first := 0
	if w.cr && s[0] == '\n' {
		first = 1
	}
	w.out, w.column = appendQuotedPrintable(w.out, s[first:], w.column)
	w.cr = s[len(s)-1] == '\r'
}

// End returns dst with the message, which ends in CRLF, and is ready for DATA
// as it is.
func (w *Writer) End() []byte {
	switch {
	case len(w.layout.bodies) > 1:
		w.out = append(w.out, "\r\n--"+boundary+"--\r\n"...)
	case w.column > 0:
		w.out = append(w.out, "\r\n"...)
	}
	return w.out
}
