// Package message is one message to one person, outside every campaign: what a
// person asked for (a receipt, a new password), or a test of a campaign.
package message

import (
	"github.com/cleversender/cleversender/domain"
	"github.com/cleversender/cleversender/domain/delivery"
	"github.com/cleversender/cleversender/domain/personal"
)

// ID names a message.
type ID = domain.ID

// Stream is where the message's events live.
func Stream(id ID) string { return "message-" + id.String() }

// A Kind is what a message is for. Names are stored.
type Kind string

const (
	Transactional Kind = "transactional"
	Test          Kind = "test"
)

// Known reports whether there is such a kind.
func (k Kind) Known() bool { return k == Transactional || k == Test }

// A Status is how far a message has come. Names are stored in read models, and are API.
type Status string

const (
	None        Status = ""
	Waiting     Status = "queued"
	Pending     Status = "sending"  // intended; no result yet
	Again       Status = "deferred" // its turn comes again
	Sent        Status = "accepted" // a server took it
	Undelivered Status = "failed"
	Excluded    Status = "withheld"
	InDoubt     Status = "unknown" // it may have left; sent again only when asked for
)

// Due reports whether the message has yet to leave.
func (s Status) Due() bool { return s == Waiting || s == Again }

// After is the status that an event leads to.
func After(e Event) Status {
	switch e.(type) {
	case Requested, ResendRequested:
		return Waiting
	case Intended:
		return Pending
	case LeftInDoubt:
		return InDoubt
	case Withheld:
		return Excluded
	case Accepted:
		return Sent
	case Deferred:
		return Again
	case Failed:
		return Undelivered
	}
	return None
}

// Message is what decisions about a message need to know.
type Message struct {
	Requested Requested // what was asked for; nothing has changed it since
	Status    Status    // None when there is no message
	Worker    domain.ID // who intended it last
	Tries     int       // how often a server said not now
	Knocks    int       // how often it could not leave
	Resends   int       // how often it was asked for again
}

// Evolve replays one event.
func (m Message) Evolve(e Event) Message {
	m.Status = After(e)
	switch e := e.(type) {
	case Requested:
		m.Requested = e
	case Intended:
		m.Worker = e.Worker
	case ResendRequested:
		m.Resends++
	case Deferred:
		if e.Code == 0 {
			m.Knocks++
		} else {
			m.Tries++
		}
	}
	return m
}

// Judge says what a reply is worth recording as. maxTries bounds how often a
// server may say not now.
func (m Message) Judge(reply delivery.Reply, maxTries int) Event {
	text := personal.Of(reply.Text[:min(len(reply.Text), delivery.MaxReply)])
	switch reply.Outcome {
	case delivery.Taken:
		return Accepted{reply.Code, reply.Server}
	case delivery.NotNow:
		if reply.Code == 0 {
			return Deferred{}
		}
		if m.Tries+1 >= maxTries {
			return Failed{reply.Code, reply.Enhanced, delivery.Unreachable, text, reply.Server}
		}
		return Deferred{reply.Code, reply.Enhanced, text, reply.Server}
	case delivery.Never:
		return Failed{reply.Code, reply.Enhanced, delivery.Rejected, text, reply.Server}
	case delivery.NotSent:
		return Deferred{}
	case delivery.NotMade:
		return Failed{Reason: delivery.BadTemplate}
	case delivery.NotReached:
		return Failed{Reason: delivery.Unreachable}
	default:
		return LeftInDoubt{}
	}
}
