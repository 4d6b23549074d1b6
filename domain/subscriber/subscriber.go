// Package subscriber is one person in one account: the data subject.
package subscriber

import (
	"slices"

	"github.com/cleversender/cleversender/domain"
	"github.com/cleversender/cleversender/domain/bounce"
	"github.com/cleversender/cleversender/domain/consent"
	"github.com/cleversender/cleversender/domain/delivery"
	"github.com/cleversender/cleversender/domain/personal"
)

// ID names a person in an account. The same address in two accounts is two IDs.
type ID = domain.ID

const prefix = "subscriber-"

// Stream is where everything decided about the person lives.
func Stream(id ID) string { return prefix + id.String() }

// A Source says how data reached us. Names are stored.
type Source string

const (
	SourceAPI     Source = "api"
	SourceImport  Source = "import"
	SourceForm    Source = "form"
	SourceMessage Source = "message" // a message of its own was addressed to them; nothing but the address is known
)

// Sources lists every source.
var Sources = []Source{SourceAPI, SourceImport, SourceForm, SourceMessage}

// Known reports whether s is one of Sources.
func (s Source) Known() bool { return slices.Contains(Sources, s) }

// Profile is the data held about a person.
type Profile struct {
	Email      personal.Text
	Name       personal.Text
	Attributes personal.Fields
}

// Equal reports that both hold the same.
func (p Profile) Equal(o Profile) bool {
	return p.Email.Equal(o.Email) && p.Name.Equal(o.Name) && p.Attributes.Equal(o.Attributes)
}

// Subscriber is what decisions about a person need to know. Of an erased
// person nothing is left but that.
type Subscriber struct {
	Exists    bool
	Addressee bool    // a message made them known: nothing but the address is held
	Profile           // as it is now
	First     Profile // as it was added: the same addition, sent again, is no news
	Lists     []domain.ID
	Consents  consent.Ledger
	Standing  Standing
	Bounces   bounce.History
	Erased    bool
}

// Evolve replays one event.
func (s Subscriber) Evolve(e Event) Subscriber {
	switch e := e.(type) {
	case Added:
		s.Exists, s.Addressee = true, e.Source == SourceMessage
		s.Profile = Profile{e.Email, e.Name, e.Attributes}
		s.First = s.Profile
	case Rectified:
		if !s.Email.Equal(e.Email) {
			s.Bounces = s.Bounces.Settled()
		}
		s.Addressee = false
		s.Profile = Profile{e.Email, e.Name, e.Attributes}
	case Joined:
		s.Lists = append(slices.Clip(s.Lists), e.List)
	case Erased:
		return Subscriber{Exists: true, Erased: true}
	case Unsuppressed:
		if e.Reason == SoftBounces {
			s.Bounces = s.Bounces.Settled()
		}
		s.Standing = s.Standing.Apply(e)
	case bounce.Received, bounce.Complained:
		s.Bounces = s.Bounces.Apply(e)
	default:
		s.Consents, s.Standing = s.Consents.Apply(e), s.Standing.Apply(e)
	}
	return s
}

// On reports whether the person is on the list. Whether mail may go out is
// consent's to say.
func (s Subscriber) On(list domain.ID) bool { return slices.Contains(s.Lists, list) }

// HeldBack is why mail from the list is withheld from the person, whatever the
// account says of their consent; "": it is consent's to say. A yes of the
// person's own stands after an objection only when it came later: the objection
// ended those before it.
func (s Subscriber) HeldBack(list domain.ID) delivery.Reason {
	standing := s.Standing
	switch s.Consent(consent.Mailing, list).Status {
	case consent.StatusGiven, consent.StatusConfirmed:
		standing = standing.Apply(ObjectionWithdrawn{})
	}
	return standing.Withhold(Marketing)
}

// Consent is the person's answer about a purpose, on a list when it is per list.
func (s Subscriber) Consent(p consent.Purpose, list domain.ID) consent.State {
	return s.Consents.Of(consent.KeyOf(p, list))
}
