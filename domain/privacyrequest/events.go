package privacyrequest

import (
	"time"

	"github.com/cleversender/cleversender/domain"
	"github.com/cleversender/cleversender/domain/event"
)

// Event is anything that happens to a request of a data subject. The person is
// in the envelope.
//
//sumtype:decl
type Event interface{ isRequestEvent() }

// Received: the clock runs (GDPR Art. 12(3)).
type Received struct {
	Kind Kind      `json:"kind"`
	Due  time.Time `json:"due"`
}

// AccessFulfilled: the bundle was made (GDPR Art. 15). The bundle itself is
// not kept: it is made again from the log when it is fetched.
type AccessFulfilled struct {
	Position event.Position `json:"position"` // of the log, up to which the bundle reaches
	Events   int            `json:"events"`   // that concern the person
	SHA256   string         `json:"sha256"`   // of the bundle, hex
}

// ErasureFulfilled: the person's keys and rows are gone (GDPR Art. 17).
type ErasureFulfilled struct {
	Redaction  domain.ID `json:"redaction"`  // the subscriber.erased event
	Keys       int       `json:"keys"`       // destroyed
	Events     int       `json:"events"`     // that can no longer be read
	Suppressed bool      `json:"suppressed"` // a keyed hash keeps the address from coming back
}

// RestrictionFulfilled: the person's data is kept and not used (GDPR Art. 18).
type RestrictionFulfilled struct {
	Hold domain.ID `json:"hold"` // the subscriber.restricted event, or the redaction of a person erased meanwhile
}

// ObjectionFulfilled: no marketing goes to the person (GDPR Art. 21(3)).
type ObjectionFulfilled struct {
	Hold domain.ID `json:"hold"` // the subscriber.objected event, or the redaction of a person erased meanwhile
}

func (Received) isRequestEvent()             {}
func (AccessFulfilled) isRequestEvent()      {}
func (ErasureFulfilled) isRequestEvent()     {}
func (RestrictionFulfilled) isRequestEvent() {}
func (ObjectionFulfilled) isRequestEvent()   {}

// Events is the wire contract of this package.
var Events = []event.Type{
	event.Define[Received]("request.received"),
	event.Define[AccessFulfilled]("request.access_fulfilled"),
	event.Define[ErasureFulfilled]("request.erasure_fulfilled"),
	event.Define[RestrictionFulfilled]("request.restriction_fulfilled"),
	event.Define[ObjectionFulfilled]("request.objection_fulfilled"),
}
