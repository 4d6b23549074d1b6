package bounce

import (
	"bytes"
	"errors"
	"io"
	"strings"

	"github.com/emersion/go-message"
	"golang.org/x/net/html"
)

// What is read of a mail, at most.
const (
	MaxBytes = 1 << 20 // of the mail; what follows is not looked at
	maxText  = 32 << 10
	maxParts = 50 // at any depth
)

// mail is one that came in, taken apart.
type mail struct {
	header   message.Header
	text     string // what it says to people
	page     string // the same as HTML
	status   string // of a delivery status notification
	feedback string // of a complaint
	original fields // the header of the message that it is about
	parts    int
}

func readMail(raw []byte) (*mail, error) {
	e, _ := message.Read(bytes.NewReader(raw))
	if e == nil || e.Header.Len() == 0 {
		return nil, errors.New("no header")
	}
	m := &mail{header: e.Header}
	m.take(e)
	if strings.TrimSpace(m.text) == "" {
		m.text = textOf(m.page)
	}
	return m, nil
}

// take looks at a part. What is cut off or malformed ends it: what came before
// counts.
func (m *mail) take(e *message.Entity) {
	m.parts++
	if parts := e.MultipartReader(); parts != nil {
		for m.parts <= maxParts {
			part, _ := parts.NextPart() // an unknown encoding comes with the part as it is
			if part == nil {
				return
			}
			m.take(part)
		}
		return
	}
	kind, _, _ := e.Header.ContentType()
	switch kind {
	case "message/delivery-status", "message/global-delivery-status": // RFC 3464; RFC 6533, section 5
		if len(m.status) < maxText {
			m.status += content(e) + "\n\n"
		}
	case "message/feedback-report":
		m.feedback = content(e)
	case "message/rfc822", "text/rfc822-headers", "message/global", "message/global-headers":
		if m.original == nil {
			m.original, _ = readFields(content(e))
		}
	case "text/plain":
		if len(m.text) < maxText {
			m.text += content(e) + "\n"
		}
	case "text/html":
		if m.page == "" {
			m.page = content(e)
		}
	}
}

// content is a part's beginning.
func content(e *message.Entity) string {
	raw, _ := io.ReadAll(io.LimitReader(e.Body, maxText))
	return strings.ToValidUTF8(string(raw), "\uFFFD")
}

// textOf is the text of a page, without its tags.
func textOf(page string) string {
	var text strings.Builder
	for z := html.NewTokenizer(strings.NewReader(page)); ; {
		switch z.Next() {
		case html.ErrorToken:
			return text.String()
		case html.TextToken:
			text.Write(z.Text())
		default:
			text.WriteByte(' ')
		}
	}
}
