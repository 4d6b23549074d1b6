package consent

import (
	"time"

	"github.com/cleversender/cleversender/domain"
	"github.com/cleversender/cleversender/domain/event"
	"github.com/cleversender/cleversender/domain/personal"
)

// Consent events live in the stream of the person (subscriber.Stream), so that
// whatever is decided about a person sees every word they said before.

// Requested: somebody asked for the person's consent, or the person asked to
// join and has yet to prove that the address is theirs (double opt-in).
type Requested struct {
	Purpose Purpose   `json:"purpose"`
	List    domain.ID `json:"list"` // zero for purposes that are not about a list
	Method  Method    `json:"method"`
}

// Given: the person agreed, first hand. GDPR Art. 7(1) wants it shown.
type Given struct {
	Purpose Purpose       `json:"purpose"`
	List    domain.ID     `json:"list"`
	Method  Method        `json:"method"`
	Wording string        `json:"wording"` // SHA-256 of what they were shown, hex; "" when unknown
	IP      personal.Text `json:"ip" personal:"evidence"`
	Client  personal.Text `json:"client" personal:"evidence"` // user agent
}

// Confirmed: the person proved that the address is theirs and agreed again.
type Confirmed struct {
	Purpose Purpose       `json:"purpose"`
	List    domain.ID     `json:"list"`
	Method  Method        `json:"method"`
	IP      personal.Text `json:"ip" personal:"evidence"`
	Client  personal.Text `json:"client" personal:"evidence"`
}

// Asserted: the account says that the person agreed, elsewhere and earlier.
// It is the account's word, never first-hand evidence. The import's own stream
// holds the SHA-256 of the file; Row finds the line.
type Asserted struct {
	Purposes  []Purpose `json:"purposes"`
	List      domain.ID `json:"list"`       // for the purpose mailing; the others hold for every list
	Import    domain.ID `json:"import"`     // zero when asserted for one person, not by a file
	Row       int       `json:"row"`        // line of the file, from 1
	ClaimedAt time.Time `json:"claimed_at"` // when the account says it was; zero when it does not say
}

// Revoked: the person does not agree, or no longer. It counts from this event on.
type Revoked struct {
	Purpose Purpose       `json:"purpose"`
	List    domain.ID     `json:"list"`
	Method  Method        `json:"method"`
	IP      personal.Text `json:"ip" personal:"evidence"`
	Client  personal.Text `json:"client" personal:"evidence"`
}

// IsSubscriberEvent makes consent part of the person's stream.
func (Requested) IsSubscriberEvent() {}
func (Given) IsSubscriberEvent()     {}
func (Confirmed) IsSubscriberEvent() {}
func (Asserted) IsSubscriberEvent()  {}
func (Revoked) IsSubscriberEvent()   {}

// Events is the wire contract of this package.
var Events = []event.Type{
	event.Define[Requested]("consent.requested"),
	event.Define[Given]("consent.given"),
	event.Define[Confirmed]("consent.confirmed"),
	event.Define[Asserted]("consent.asserted"),
	event.Define[Revoked]("consent.revoked"),
}
