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
	Access  Kind = "access"  // GDPR Art. 15
	Erasure Kind = "erasure" // GDPR Art. 17
)

// Term is how long the controller has: one month (GDPR Art. 12(3)), counted as
// thirty days, which is never too late.
const Term = 30 * 24 * time.Hour
