package delivery

import (
	"time"

	"github.com/cleversender/cleversender/domain"
	"github.com/cleversender/cleversender/domain/event"
	"github.com/cleversender/cleversender/domain/personal"
)

// Event is anything that happens in a segment. The person an event is about is
// in its envelope, unless it is about several.
//
//sumtype:decl
type Event interface{ isDeliveryEvent() }

// Planned: the segment's recipients, in order; ordinals count up from First.
type Planned struct {
	Campaign domain.ID `json:"campaign"`
	First    int       `json:"first"`
	Subjects Subjects  `json:"subjects"`
}

// Claimed: the worker owns the segment until the time given, or until another claims it later.
type Claimed struct {
	Worker domain.ID `json:"worker"`
	Until  time.Time `json:"until"`
}

// Reopened: everybody in doubt waits for their turn again. Resend is which of
// the campaign's requests to resend this answers, from 1.
type Reopened struct {
	Resend int `json:"resend"`
}

// Intended: the messages to these recipients may leave from now on. Subjects,
// ordinals and consents go together, place by place; a consent is the position
// of the event that allows the message.
type Intended struct {
	Campaign domain.ID        `json:"campaign"`
	Subjects Subjects         `json:"subjects"`
	Ordinals []int            `json:"ordinals"`
	Consents []event.Position `json:"consents"`
}

// Withheld: this recipient does not get the campaign, and why.
type Withheld struct {
	Person   domain.ID `json:"-"` // kept in the envelope, as the subject
	Campaign domain.ID `json:"campaign"`
	Ordinal  int       `json:"ordinal"`
	Reason   Reason    `json:"reason"`
}

// Accepted: the server took responsibility for the messages to these recipients
// (RFC 5321, section 4.2.5). Subjects and ordinals go together.
type Accepted struct {
	Campaign domain.ID `json:"campaign"`
	Subjects Subjects  `json:"subjects"`
	Ordinals []int     `json:"ordinals"`
	Code     int       `json:"code"`             // SMTP reply code
	Server   string    `json:"server,omitempty"` // which of several took it
}

// Deferred: not now. The server said so (4yz), or the message never left
// (code 0: no connection, paused, stopped) and its recipient waits as before.
type Deferred struct {
	Person   domain.ID     `json:"-"` // kept in the envelope, as the subject
	Campaign domain.ID     `json:"campaign"`
	Ordinal  int           `json:"ordinal"`
	Code     int           `json:"code"`                       // 0 when nobody was asked
	Enhanced string        `json:"enhanced"`                   // RFC 3463, "4.2.0"; "" when not given
	Reply    personal.Text `json:"reply" personal:"behaviour"` // may quote the address
	Server   string        `json:"server,omitempty"`           // which of several said so
}

// Failed: the server said no (5yz), or the message could not be made or transmitted.
type Failed struct {
	Person   domain.ID     `json:"-"` // kept in the envelope, as the subject
	Campaign domain.ID     `json:"campaign"`
	Ordinal  int           `json:"ordinal"`
	Code     int           `json:"code"` // 0 when no reply came
	Enhanced string        `json:"enhanced"`
	Reason   Reason        `json:"reason"`
	Reply    personal.Text `json:"reply" personal:"behaviour"`
	Server   string        `json:"server,omitempty"`
}

func (Planned) isDeliveryEvent()    {}
func (Claimed) isDeliveryEvent()    {}
func (Reopened) isDeliveryEvent()   {}
func (Intended) isDeliveryEvent()   {}
func (e Withheld) About() domain.ID { return e.Person }
func (Withheld) isDeliveryEvent()   {}
func (Accepted) isDeliveryEvent()   {}
func (e Deferred) About() domain.ID { return e.Person }
func (Deferred) isDeliveryEvent()   {}
func (e Failed) About() domain.ID   { return e.Person }
func (Failed) isDeliveryEvent()     {}

// Events is the wire contract of this package.
var Events = []event.Type{
	event.Define[Planned]("segment.planned"),
	event.Define[Claimed]("segment.claimed"),
	event.Define[Reopened]("segment.reopened"),
	event.Define[Intended]("sends.intended"),
	event.Define[Withheld]("send.withheld"),
	event.Define[Accepted]("sends.accepted"),
	event.Define[Deferred]("send.deferred"),
	event.Define[Failed]("send.failed"),
}
