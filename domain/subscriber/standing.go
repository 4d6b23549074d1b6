package subscriber

import (
	"slices"

	"github.com/cleversender/cleversender/domain/consent"
	"github.com/cleversender/cleversender/domain/delivery"
)

// A Hold keeps mail from a person whatever they agreed to. Names are stored and are API.
type Hold string

const (
	Restriction Hold = "restriction"  // GDPR Art. 18
	Objection   Hold = "objection"    // to direct marketing, GDPR Art. 21(2)
	HardBounce  Hold = "hard_bounce"  // the address does not exist
	SoftBounces Hold = "soft_bounces" // the address has not taken mail for long
	Complaint   Hold = "complaint"    // the person reported a message as spam (RFC 5965)
	Manual      Hold = "manual"       // the account's own decision
)

// Suppressions are the holds that suppress an address.
var Suppressions = []Hold{HardBounce, SoftBounces, Complaint, Manual}

// Suppresses reports whether h is one of Suppressions.
func (h Hold) Suppresses() bool { return slices.Contains(Suppressions, h) }

func (h Hold) known() Hold {
	if h.Suppresses() {
		return h
	}
	return ""
}

// Change says which hold an event begins or ends; "": none that is known.
func Change(e any) (h Hold, begins bool) {
	switch e := e.(type) {
	case Suppressed:
		return e.Reason.known(), true
	case Unsuppressed:
		return e.Reason.known(), false
	case Restricted:
		return Restriction, true
	case RestrictionLifted:
		return Restriction, false
	case Objected:
		return Objection, true
	case ObjectionWithdrawn:
		return Objection, false
	}
	return "", false
}

// Standing is the holds on a person, oldest first. It is never changed in place.
//
// An import ends none of them, and nor does time. What does:
//
//   - A restriction ends when the account lifts it, having told the person
//     (GDPR Art. 18(3)). Until then the data is kept, and no more (Art. 18(2)).
//   - An objection to direct marketing is absolute (Art. 21(2), 21(3)): it ends
//     every consent to mail, to tracking and to profiling that was given before
//     it, and no word of the account's brings one back. The person ends it, by
//     taking it back. A later consent of their own (given or confirmed, Art.
//     4(11)) is specific: it allows what it names, a list, and the objection
//     stands for the rest.
//   - A suppression ends when the account says that its reason is settled.
type Standing []Hold

// Has reports whether h holds.
func (s Standing) Has(h Hold) bool { return slices.Contains(s, h) }

// Apply follows one event.
func (s Standing) Apply(e any) Standing {
	h, begins := Change(e)
	switch i := slices.Index(s, h); {
	case h == "" || begins == (i >= 0):
		return s
	case begins:
		return append(slices.Clip(s), h)
	default:
		return slices.Concat(s[:i], s[i+1:])
	}
}

// Mail is what a message is, as far as a standing goes.
type Mail int

const (
	Marketing Mail = iota // campaigns, and whatever else promotes
	Service               // what the person asked for: a receipt, a new password
)

// Withhold says why such a message is not sent; "": nothing stands against it.
// An objection and a complaint are about marketing; a restriction, and an
// address that takes no mail, about every message. Of several reasons the
// first counts: restricted, objected, suppressed. To marketing, a consent later
// than an objection is an exception that Withhold does not know of.
func (s Standing) Withhold(m Mail) delivery.Reason {
	switch {
	case s.Has(Restriction):
		return delivery.Restricted
	case m == Marketing && s.Has(Objection):
		return delivery.Objected
	case s.Has(HardBounce), s.Has(SoftBounces), s.Has(Manual), m == Marketing && s.Has(Complaint):
		return delivery.Suppressed
	}
	return ""
}

// marketing lists the purposes that an objection to direct marketing ends,
// profiling for it among them (GDPR Art. 21(2)). A notice that the policy
// changes is no marketing.
var marketing = []consent.Purpose{consent.Mailing, consent.OpenTracking, consent.ClickTracking, consent.Profiling}

// IsMarketing reports whether an objection to direct marketing covers p.
func IsMarketing(p consent.Purpose) bool { return slices.Contains(marketing, p) }
