package mime

import "bytes"

// Common is what all messages of a campaign, or of a template, say. A zero field has no header,
// but for From, which must be there.
type Common struct {
	From, ReplyTo Address
	Subject       string // "" when each message has its own
	// FeedbackID is "a:b:c:sender", by which mailbox providers count complaints.
	FeedbackID string
	// Echo is a header that repeats what is before the @ of the Message-ID, for
	// who replaces the Message-ID.
	Echo string
	// Automatic: each message answers to something that its recipient did, and is
	// sent to nobody else (RFC 3834, section 5). Otherwise it is bulk mail.
	Automatic bool
	// Unsubscribe is what every UnsubscribeURL begins with: an http or https URL.
	// One click is announced for https only, as RFC 8058, section 3.1, wants, and
	// for this very machine.
	Unsubscribe string
	// Text and HTML are the texts, UTF-8 with any line ends, that each body
	// consists of but for what differs from message to message; nil: no such body.
	Text, HTML []string
}

// Layout is everything common, encoded once, for any number of messages and by
// many goroutines at once.
type Layout struct {
	head, tail  []byte // in front of a message's own headers; from there to the first body
	subject     bool   // is in the head
	unsubscribe string
	echo        string
	dates       *dates
	bodies      []body // from plain to rich, when there are two (RFC 2046, section 5.1.4)
}

type body struct {
	opening []byte // what stands between the body before and this one
	runs    []run
}

// run is a fixed text, encoded from the start of a line on.
type run struct {
	encoded []byte
	column  int  // where it ends
	lf, cr  bool // it begins with a line feed; it ends with a carriage return
}

// boundary cannot occur in quoted-printable text, where "=" is followed by a
// digit, a letter from A to F, or the line's end (RFC 2045, section 6.7).
const boundary = "=_cleversender_alternative"

// NewLayout encodes what is common. Its errors are refusals with CodeBadHeader.
func NewLayout(c Common) (*Layout, error) {
	l := &Layout{subject: c.Subject != "", unsubscribe: c.Unsubscribe, echo: c.Echo, dates: &dates{}}
	var head, tail headers
	head.address("From", c.From)
	if c.ReplyTo != (Address{}) {
		head.address("Reply-To", c.ReplyTo)
	}
	if l.subject {
		head.text("Subject", c.Subject)
	}
	if c.Unsubscribe != "" {
		tail.oneClick(c.Unsubscribe)
	}
	if c.FeedbackID != "" && tail.isToken("Feedback-ID", c.FeedbackID) {
		tail.line("Feedback-ID", c.FeedbackID)
	}
	if c.Automatic {
		tail.line("Auto-Submitted", "auto-generated") // keeps vacation replies away, too
	} else {
		tail.line("Precedence", "bulk") // RFC 2076, section 3.9: keeps vacation replies away
	}
	tail.line("MIME-Version", "1.0")
	for _, h := range []headers{head, tail} {
		if h.err != nil {
			return nil, h.err
		}
	}
	if c.Text != nil && c.HTML != nil {
		tail.line("Content-Type", `multipart/alternative; boundary="`+boundary+`"`)
	}
	l.add("text/plain", c.Text)
	l.add("text/html", c.HTML)
	for i := range l.bodies {
		if len(l.bodies) > 1 {
			l.bodies[i].opening = append([]byte("\r\n--"+boundary+"\r\n"), l.bodies[i].opening...)
		}
	}
	l.head, l.tail = head.out, tail.out
	return l, nil
}

func (l *Layout) add(kind string, texts []string) {
	if texts == nil {
		return
	}
	var opening headers
	opening.line("Content-Type", kind+"; charset=utf-8")
	opening.line("Content-Transfer-Encoding", "quoted-printable")
	b := body{opening: append(opening.out, "\r\n"...)}
	for _, s := range texts {
		r := run{lf: len(s) > 0 && s[0] == '\n', cr: len(s) > 0 && s[len(s)-1] == '\r'}
		r.encoded, r.column = appendQuotedPrintable(nil, s, 0)
		b.runs = append(b.runs, r)
	}
	l.bodies = append(l.bodies, b)
}

// List is the layout of messages that come by a list: id is "id.domain",
// without angle brackets (RFC 2919). Its errors are refusals with CodeBadHeader.
func (l *Layout) List(id, name string) (*Layout, error) {
	h := headers{out: bytes.Clone(l.head)}
	h.listID(id, name)
	listed := *l
	listed.head = h.out
	return &listed, h.err
}
