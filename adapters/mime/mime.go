// Package mime composes a campaign's message: the headers and the text and HTML
// bodies, in the bytes that go over SMTP.
//
// A message has the headers that Compose sets and no other, whatever its
// values hold: a line break or NUL in one is refused, not repaired. Lines end
// in CRLF and are at most 998 octets long (RFC 5322, section 2.1.1); bodies are
// quoted-printable, so they survive every server on the way (RFC 2045, section 6.7).
package mime

import (
	"time"

	"github.com/cleversender/cleversender/domain"
)

// Address is a mailbox (RFC 5322, section 3.4).
type Address struct {
	Name  string // in any script; "" for none
	Email string // the domain in any script; a local part beyond ASCII makes a message that needs SMTPUTF8 (RFC 6532)
}

// Message is everything that a message says. A zero field has no header, but
// for From, To, Date and MessageID, which must be there.
type Message struct {
	From, To  Address
	ReplyTo   Address
	Subject   string
	Date      time.Time
	MessageID string // "id@domain", without angle brackets

	ListID   string // "id.domain", without angle brackets (RFC 2919)
	ListName string // the list's name, in front of ListID

	// UnsubscribeURL is an http or https URL at which one POST, with no further
	// question, unsubscribes (RFC 2369; RFC 8058). One click is announced for
	// https only, as RFC 8058, section 3.1, wants, and for this very machine.
	UnsubscribeURL string
	// FeedbackID is "a:b:c:sender", by which mailbox providers count complaints.
	FeedbackID string

	Text, HTML string // UTF-8, any line ends; one of them may be ""
}

// CodeBadHeader is the code of Compose's refusals. It is API.
const CodeBadHeader = "bad_header"

// badHeader names the header, never the value: values belong to people.
func badHeader(name, why string) error {
	return domain.Refuse(CodeBadHeader, "the header "+name+" "+why)
}

// boundary cannot occur in quoted-printable text, where "=" is followed by a
// digit, a letter from A to F, or the line's end (RFC 2045, section 6.7).
const boundary = "=_cleversender_alternative"

// Compose makes the message, ready for DATA but for its dots. Its errors are
// refusals with CodeBadHeader.
func Compose(m Message) ([]byte, error) {
	c := composer{out: make([]byte, 0, 2048+len(m.HTML)+len(m.HTML)/8+len(m.Text)+len(m.Text)/8)}
	c.address("From", m.From)
	c.address("To", m.To)
	if m.ReplyTo != (Address{}) {
		c.address("Reply-To", m.ReplyTo)
	}
	c.text("Subject", m.Subject)
	c.date(m.Date)
	c.messageID(m.MessageID)
	c.list(m)
	if m.FeedbackID != "" {
		c.token("Feedback-ID", m.FeedbackID, m.FeedbackID)
	}
	c.line("Precedence", "bulk") // RFC 2076, section 3.9: keeps vacation replies away
	c.line("MIME-Version", "1.0")
	if c.err != nil {
		return nil, c.err
	}
	c.bodies(m.Text, m.HTML)
	return c.out, nil
}

type composer struct {
	out []byte
	err error // the first
}

func (c *composer) fail(name, why string) {
	if c.err == nil {
		c.err = badHeader(name, why)
	}
}

// line writes a header whose value is known to be good.
func (c *composer) line(name, value string) {
	c.out = append(append(append(append(c.out, name...), ": "...), value...), "\r\n"...)
}

func (c *composer) date(at time.Time) {
	if at.IsZero() {
		c.fail("Date", "is missing")
		return
	}
	c.out = append(at.AppendFormat(append(c.out, "Date: "...), time.RFC1123Z), "\r\n"...)
}

func (c *composer) messageID(id string) {
	local, domain, found := cutLast(id, '@')
	if !found || !isDotAtom(local) || !isDotAtom(domain) {
		c.fail("Message-ID", "is not an id") // RFC 5322, section 3.6.4
	}
	c.token("Message-ID", id, "<"+id+">")
}

// list writes what mailbox providers ask of bulk mail.
func (c *composer) list(m Message) {
	if m.ListID != "" {
		if !isDotAtom(m.ListID) || len(m.ListID) > 255 { // RFC 2919, section 3
			c.fail("List-Id", "is not an id")
		}
		c.named("List-Id", m.ListName, m.ListID)
	}
	if m.UnsubscribeURL == "" {
		return
	}
	host, secure, ok := webHost(m.UnsubscribeURL)
	if !ok {
		c.fail("List-Unsubscribe", "is not a web address")
	}
	c.token("List-Unsubscribe", m.UnsubscribeURL, "<"+m.UnsubscribeURL+">") // RFC 2369, section 3.2
	if secure || isLoopback(host) {
		c.line("List-Unsubscribe-Post", "List-Unsubscribe=One-Click") // RFC 8058, section 3.1
	}
}

// token writes a value of printable ASCII without spaces; check is what is
// looked at, value what is written.
func (c *composer) token(name, check, value string) {
	for i := range len(check) {
		if b := check[i]; b <= ' ' || b >= 0x7f || b == '<' || b == '>' {
			c.fail(name, "holds a space, a control character, or one that is not ASCII")
			return
		}
	}
	if len(value) > 900 {
		c.fail(name, "is too long")
		return
	}
	c.line(name, value)
}

// bodies writes the content headers and the content: alternatives from plain
// to rich, when there are two (RFC 2046, section 5.1.4).
func (c *composer) bodies(text, html string) {
	switch {
	case html == "":
		c.body("text/plain", text)
	case text == "":
		c.body("text/html", html)
	default:
		c.line("Content-Type", `multipart/alternative; boundary="`+boundary+`"`)
		c.out = append(c.out, "\r\n--"+boundary+"\r\n"...)
		c.body("text/plain", text)
		c.out = append(c.out, "\r\n--"+boundary+"\r\n"...)
		c.body("text/html", html)
		c.out = append(c.out, "\r\n--"+boundary+"--\r\n"...)
	}
}

func (c *composer) body(kind, content string) {
	c.line("Content-Type", kind+"; charset=utf-8")
	c.line("Content-Transfer-Encoding", "quoted-printable")
	c.out = append(c.out, "\r\n"...)
	c.out = appendQuotedPrintable(c.out, content)
}
