package subscriber

import (
	"time"

	"github.com/cleversender/cleversender/domain"
	"github.com/cleversender/cleversender/domain/consent"
	"github.com/cleversender/cleversender/domain/event"
	"github.com/cleversender/cleversender/domain/personal"
)

// Event is anything that happens to a subscriber; packages consent and bounce add their own.
type Event interface{ IsSubscriberEvent() }

// Added: the account holds this person's data from now on.
type Added struct {
	Email      personal.Text   `json:"email" personal:"identity"`
	Name       personal.Text   `json:"name" personal:"identity"`
	Attributes personal.Fields `json:"attributes" personal:"identity"`
	Source     Source          `json:"source"`
	Import     domain.ID       `json:"import"` // the import that brought them; zero otherwise
	Row        int             `json:"row"`
}

// Joined: the person is on the list. Whether mail may go out is consent's to say.
type Joined struct {
	List domain.ID `json:"list"`
}

// Rectified: the data held is now this, whole (GDPR Art. 16).
type Rectified struct {
	Email      personal.Text   `json:"email" personal:"identity"`
	Name       personal.Text   `json:"name" personal:"identity"`
	Attributes personal.Fields `json:"attributes" personal:"identity"`
	Source     Source          `json:"source"`
}

// Suppressed: no mail goes to the person's address any more, for this reason.
type Suppressed struct {
	Reason Hold          `json:"reason"` // one that Suppresses
	Note   personal.Text `json:"note" personal:"evidence"`
}

// Unsuppressed: that reason is settled; others may stand.
type Unsuppressed struct {
	Reason Hold          `json:"reason"`
	Note   personal.Text `json:"note" personal:"evidence"` // why the account says so
}

// Restricted: the data is kept and not used (GDPR Art. 18).
type Restricted struct {
	Request domain.ID     `json:"request"` // the privacy request that asked for it; zero when none did
	Note    personal.Text `json:"note" personal:"evidence"`
}

// RestrictionLifted: the data is used again. The person was told before (GDPR Art. 18(3)).
type RestrictionLifted struct {
	InformedAt time.Time     `json:"informed_at"`
	Note       personal.Text `json:"note" personal:"evidence"`
}

// Objected: no marketing any more, whatever was agreed to before (GDPR Art. 21(2), 21(3)).
type Objected struct {
	Request domain.ID      `json:"request"` // zero when no privacy request asked for it
	Method  consent.Method `json:"method"`
	IP      personal.Text  `json:"ip" personal:"evidence"`
	Client  personal.Text  `json:"client" personal:"evidence"` // user agent
}

// ObjectionWithdrawn: the person takes it back. Consents that ended with it do not return.
type ObjectionWithdrawn struct {
	Method consent.Method `json:"method"`
	Note   personal.Text  `json:"note" personal:"evidence"` // how the person said so
	IP     personal.Text  `json:"ip" personal:"evidence"`
	Client personal.Text  `json:"client" personal:"evidence"`
}

// Erased: the redaction. Every personal value of the person, in every event
// before this one, is gone once the keys are; nothing may be recorded after it.
type Erased struct {
	Request domain.ID `json:"request"` // the privacy request that asked for it
}

func (Added) IsSubscriberEvent()              {}
func (Joined) IsSubscriberEvent()             {}
func (Rectified) IsSubscriberEvent()          {}
func (Suppressed) IsSubscriberEvent()         {}
func (Unsuppressed) IsSubscriberEvent()       {}
func (Restricted) IsSubscriberEvent()         {}
func (RestrictionLifted) IsSubscriberEvent()  {}
func (Objected) IsSubscriberEvent()           {}
func (ObjectionWithdrawn) IsSubscriberEvent() {}
func (Erased) IsSubscriberEvent()             {}

// Events is the wire contract of this package.
var Events = []event.Type{
	event.Define[Added]("subscriber.added"),
	event.Define[Joined]("subscriber.joined"),
	event.Define[Rectified]("subscriber.rectified"),
	event.Define[Suppressed]("subscriber.suppressed"),
	event.Define[Unsuppressed]("subscriber.unsuppressed"),
	event.Define[Restricted]("subscriber.restricted"),
	event.Define[RestrictionLifted]("subscriber.restriction_lifted"),
	event.Define[Objected]("subscriber.objected"),
	event.Define[ObjectionWithdrawn]("subscriber.objection_withdrawn"),
	event.Define[Erased]("subscriber.erased"),
}
