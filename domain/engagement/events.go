package engagement

import (
	"github.com/cleversender/cleversender/domain"
	"github.com/cleversender/cleversender/domain/event"
	"github.com/cleversender/cleversender/domain/personal"
)

// Event is anything that a recipient does with a message. The person is in the
// envelope.
//
//sumtype:decl
type Event interface{ isEngagementEvent() }

// Opened: the pixel was fetched. Machine says why it was hardly a person; "" when it may have been.
type Opened struct {
	Person   domain.ID     `json:"-"` // kept in the envelope, as the subject
	Campaign domain.ID     `json:"campaign"`
	Ordinal  int           `json:"ordinal"`
	Machine  Machine       `json:"machine"`
	Signal   string        `json:"signal,omitempty"` // what gave a machine away, in our words
	IP       personal.Text `json:"ip" personal:"behaviour"`
	Client   personal.Text `json:"client" personal:"behaviour"` // user agent
}

// Clicked: a tracked link was followed.
type Clicked struct {
	Person   domain.ID     `json:"-"` // kept in the envelope, as the subject
	Campaign domain.ID     `json:"campaign"`
	Ordinal  int           `json:"ordinal"`
	Link     int           `json:"link"` // index into the campaign's frozen links
	Machine  Machine       `json:"machine"`
	Signal   string        `json:"signal,omitempty"` // what gave a machine away, in our words
	IP       personal.Text `json:"ip" personal:"behaviour"`
	Client   personal.Text `json:"client" personal:"behaviour"`
}

// Unsubscribed: the person left by way of this message; consent.revoked in
// their own stream is what counts, this says which campaign led to it.
type Unsubscribed struct {
	Person   domain.ID `json:"-"` // kept in the envelope, as the subject
	Campaign domain.ID `json:"campaign"`
	Ordinal  int       `json:"ordinal"`
}

func (e Opened) About() domain.ID       { return e.Person }
func (Opened) isEngagementEvent()       {}
func (e Clicked) About() domain.ID      { return e.Person }
func (Clicked) isEngagementEvent()      {}
func (e Unsubscribed) About() domain.ID { return e.Person }
func (Unsubscribed) isEngagementEvent() {}

// Events is the wire contract of this package.
var Events = []event.Type{
	event.Define[Opened]("message.opened"),
	event.Define[Clicked]("link.clicked"),
	event.Define[Unsubscribed]("message.unsubscribed"),
}
