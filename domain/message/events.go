package message

import (
	"github.com/cleversender/cleversender/domain"
	"github.com/cleversender/cleversender/domain/delivery"
	"github.com/cleversender/cleversender/domain/event"
	"github.com/cleversender/cleversender/domain/personal"
)

// Event is anything that happens to a message. The person it is for is in the
// envelope.
//
//sumtype:decl
type Event interface{ isMessageEvent() }

// Requested: this template, as it was, goes to this address.
type Requested struct {
	Kind             Kind            `json:"kind"`
	Campaign         domain.ID       `json:"campaign"` // of a test, the one that is tried out; zero otherwise
	Template         domain.ID       `json:"template"`
	TemplateRevision uint64          `json:"template_revision"`
	SHA256           string          `json:"sha256"` // of the template's content, hex
	FromName         string          `json:"from_name"`
	FromEmail        string          `json:"from_email"`
	ReplyTo          string          `json:"reply_to"`
	To               personal.Text   `json:"to" personal:"identity"`
	Name             personal.Text   `json:"name" personal:"identity"`
	Variables        personal.Fields `json:"variables" personal:"identity"`
}

// Intended: the message may leave from now on, by this worker.
type Intended struct {
	Worker domain.ID `json:"worker"`
}

// LeftInDoubt: the message was intended, and nobody knows whether it left.
type LeftInDoubt struct{}

// ResendRequested: a message in doubt is queued again, as the same message.
type ResendRequested struct{}

// Withheld: the message is not sent, and why.
type Withheld struct {
	Reason delivery.Reason `json:"reason"`
}

// Accepted: the server took responsibility for the message (RFC 5321, section 4.2.5).
type Accepted struct {
	Code   int    `json:"code"`   // SMTP reply code
	Server string `json:"server"` // which of several took it
}

// Deferred: not now. The server said so (4yz), or the message never left (code 0).
type Deferred struct {
	Code     int           `json:"code"`                       // 0 when nobody was asked
	Enhanced string        `json:"enhanced"`                   // RFC 3463, "4.2.0"; "" when not given
	Reply    personal.Text `json:"reply" personal:"behaviour"` // may quote the address
	Server   string        `json:"server"`                     // which of several said so
}

// Failed: the server said no (5yz), or the message could not be made or transmitted.
type Failed struct {
	Code     int             `json:"code"` // 0 when no reply came
	Enhanced string          `json:"enhanced"`
	Reason   delivery.Reason `json:"reason"`
	Reply    personal.Text   `json:"reply" personal:"behaviour"`
	Server   string          `json:"server"`
}

func (Requested) isMessageEvent()       {}
func (Intended) isMessageEvent()        {}
func (LeftInDoubt) isMessageEvent()     {}
func (ResendRequested) isMessageEvent() {}
func (Withheld) isMessageEvent()        {}
func (Accepted) isMessageEvent()        {}
func (Deferred) isMessageEvent()        {}
func (Failed) isMessageEvent()          {}

// Events is the wire contract of this package.
var Events = []event.Type{
	event.Define[Requested]("message.requested"),
	event.Define[Intended]("message.intended"),
	event.Define[LeftInDoubt]("message.left_in_doubt"),
	event.Define[ResendRequested]("message.resend_requested"),
	event.Define[Withheld]("message.withheld"),
	event.Define[Accepted]("message.accepted"),
	event.Define[Deferred]("message.deferred"),
	event.Define[Failed]("message.failed"),
}
