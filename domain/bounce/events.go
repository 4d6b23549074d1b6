package bounce

import (
	"time"

	"github.com/cleversender/cleversender/domain"
	"github.com/cleversender/cleversender/domain/event"
	"github.com/cleversender/cleversender/domain/personal"
)

// Both live in the stream of the person (subscriber.Stream), so that whatever
// is decided about their address sees every report before.

// Received: a message did not reach the person, or a machine answered it.
type Received struct {
	Campaign   domain.ID     `json:"campaign"` // zero for a message outside every campaign
	Ordinal    int           `json:"ordinal"`
	Message    domain.ID     `json:"message"` // of such a message; zero for a campaign's
	Kind       Kind          `json:"kind"`
	Status     string        `json:"status"` // RFC 3463, "5.1.1"; "" when none was given
	Source     Source        `json:"source"`
	At         time.Time     `json:"at"`                              // when we heard of it
	Diagnostic personal.Text `json:"diagnostic" personal:"behaviour"` // the server's words; may quote the address
}

// Complained: the person called a message unwanted (RFC 5965).
type Complained struct {
	Campaign domain.ID `json:"campaign"`
	Ordinal  int       `json:"ordinal"`
	Message  domain.ID `json:"message"`
	Feedback string    `json:"feedback_type"` // abuse, fraud, … (RFC 5965, section 7.3); "" when not given
	Source   Source    `json:"source"`
	At       time.Time `json:"at"`
}

// IsSubscriberEvent makes reports part of the person's stream.
func (Received) IsSubscriberEvent()   {}
func (Complained) IsSubscriberEvent() {}

// Events is the wire contract of this package.
var Events = []event.Type{
	event.Define[Received]("bounce.received"),
	event.Define[Complained]("complaint.received"),
}
