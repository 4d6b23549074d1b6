// Package mime makes a campaign's messages: the headers and the text and HTML
// bodies, in the bytes that go over SMTP. What all messages share is encoded
// once, in a Layout; a Writer adds what one message has of its own.
//
// A message has the headers that are set here and no other, whatever its
// values hold: a line break or NUL in one is refused, not repaired. Lines end
// in CRLF, never begin with a dot, and are at most 998 octets long (RFC 5322,
// section 2.1.1); bodies are quoted-printable, so they survive every server on
// the way (RFC 2045, section 6.7).
package mime

import "github.com/cleversender/cleversender/domain"

// Address is a mailbox (RFC 5322, section 3.4).
type Address struct {
	Name  string // in any script; "" for none
	Email string // the domain in any script; a local part beyond ASCII makes a message that needs SMTPUTF8 (RFC 6532)
}

// CodeBadHeader is the code of refusals. It is API.
const CodeBadHeader = "bad_header"

// badHeader names the header, never the value: values belong to people.
func badHeader(name, why string) error {
	return domain.Refuse(CodeBadHeader, "the header "+name+" "+why)
}
