// Package consenthistory is what one person agreed to and when, and what that
// came to at any moment or log position.
package consenthistory

import (
	"time"

	"github.com/cleversender/cleversender/domain"
	"github.com/cleversender/cleversender/domain/consent"
	"github.com/cleversender/cleversender/domain/event"
	"github.com/cleversender/cleversender/domain/personal"
)

// Entry is one thing that was said about one purpose, and the evidence of it.
type Entry struct {
	Position  event.Position
	Event     domain.ID
	At        time.Time
	Type      string // stored name of the event
	Actor     domain.ID
	Purpose   consent.Purpose
	List      domain.ID // zero for purposes that are not about a list
	Method    consent.Method
	Wording   string    // SHA-256 of what they were shown, hex; "" when unknown
	Import    domain.ID // of an assertion: the import and the line of its file
	Row       int
	ClaimedAt time.Time
	IP        personal.Text // as open or sealed as the events given
	Client    personal.Text
	Erasure   bool // the person was erased: nothing is in force from here on
}
