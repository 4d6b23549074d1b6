// Package mime composes a campaign's message: headers and a text and an HTML
// body, in the bytes that go over SMTP.
package mime

import "time"

// Address is a mailbox (RFC 5322, section 3.4).
type Address struct {
	Name  string // may be in any script; "" for none
	Email string // the domain may be in any script
}

// Message is everything that a message says. Zero fields have no header.
type Message struct {
	From, To  Address
	ReplyTo   Address
	Subject   string
	Date      time.Time
	MessageID string // without angle brackets

	ListID   string // "id.domain", without angle brackets (RFC 2919)
	ListName string // the list's name, in front of ListID

	// UnsubscribeURL is where one POST unsubscribes, with no further question
	// (RFC 2369, RFC 8058); it must be https, or http to a loopback address.
	UnsubscribeURL string
	FeedbackID     string // "campaign:account:kind:sender", for complaint statistics

	Text, HTML string // UTF-8, any line ends
}
