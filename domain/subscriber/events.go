package subscriber

import (
	"github.com/cleversender/cleversender/domain"
	"github.com/cleversender/cleversender/domain/event"
	"github.com/cleversender/cleversender/domain/personal"
)

// Event is anything that happens to a subscriber; package consent adds its own.
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

// Erased: the redaction. Every personal value of the person, in every event
// before this one, is gone once the keys are; nothing may be recorded after it.
type Erased struct {
	Request domain.ID `json:"request"` // the privacy request that asked for it
}

func (Added) IsSubscriberEvent()     {}
func (Joined) IsSubscriberEvent()    {}
func (Rectified) IsSubscriberEvent() {}
func (Erased) IsSubscriberEvent()    {}

// Events is the wire contract of this package.
var Events = []event.Type{
	event.Define[Added]("subscriber.added"),
	event.Define[Joined]("subscriber.joined"),
	event.Define[Rectified]("subscriber.rectified"),
	event.Define[Erased]("subscriber.erased"),
}
