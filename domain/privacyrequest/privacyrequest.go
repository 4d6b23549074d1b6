// Package privacyrequest is what a data subject may ask, and what became of it.
package privacyrequest

import (
	"time"

	"github.com/cleversender/cleversender/domain"
)

// ID names a request.
type ID = domain.ID

// Stream is where the request's events live.
func Stream(id ID) string { return "request-" + id.String() }

// A Kind is what is asked. Names are stored.
type Kind string

const (
	Access      Kind = "access"      // GDPR Art. 15
	Erasure     Kind = "erasure"     // GDPR Art. 17
	Restriction Kind = "restriction" // GDPR Art. 18
	Objection   Kind = "objection"   // to direct marketing, GDPR Art. 21(2)
)

// Term is how long the controller has: one month (GDPR Art. 12(3)), counted as
// thirty days, which is never too late.
const Term = 30 * 24 * time.Hour

// Kinds lists every kind.
var Kinds = []Kind{Access, Erasure, Restriction, Objection}

// Request is what decisions about a request need to know.
type Request struct {
	Kind      Kind // "" when there is no request
	Due       time.Time
	Fulfilled bool
}

// Evolve replays one event.
func (r Request) Evolve(e Event) Request {
	switch e := e.(type) {
	case Received:
		r.Kind, r.Due = e.Kind, e.Due
	case AccessFulfilled, ErasureFulfilled, RestrictionFulfilled, ObjectionFulfilled:
		r.Fulfilled = true
	}
	return r
}
