package commands_test

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	. "github.com/cleversender/cleversender/commands"
	"github.com/cleversender/cleversender/domain"
	"github.com/cleversender/cleversender/domain/consent"
	"github.com/cleversender/cleversender/domain/personal"
	"github.com/cleversender/cleversender/domain/subscriber"
)

var (
	remark     = text("by phone")
	bounced    = subscriber.Suppressed{Reason: subscriber.HardBounce, Note: remark}
	complained = subscriber.Suppressed{Reason: subscriber.Complaint}
	settled    = subscriber.Unsuppressed{Reason: subscriber.HardBounce, Note: remark}
	restricted = subscriber.Restricted{Request: three, Note: remark}
	lifted     = subscriber.RestrictionLifted{InformedAt: noon, Note: remark}
	objected   = subscriber.Objected{Request: three, Method: consent.ByDataRequest, IP: ip, Client: client}
	reconciled = subscriber.ObjectionWithdrawn{Method: consent.ByAPI, Note: remark}

	suppress   = SuppressSubscriber{Person: ada, Reason: subscriber.HardBounce, Note: remark}
	unsuppress = UnsuppressSubscriber{Person: ada, Reason: subscriber.HardBounce, Note: remark}
	restrict   = RestrictSubscriber{Person: ada, Request: three, Note: remark}
	lift       = LiftRestriction{Person: ada, InformedAt: noon, Note: remark, Now: tonight}
	object     = ObjectSubscriber{Person: ada, Request: three, Method: consent.ByDataRequest, IP: ip, Client: client}
	withdraw   = WithdrawObjection{Person: ada, Method: consent.ByAPI, Note: remark}
)

func TestSuppressSubscriber(t *testing.T) {
	with := func(change func(*SuppressSubscriber)) SuppressSubscriber { c := suppress; change(&c); return c }
	check(t, []subscriberRow{
		{name: "suppresses", given: member(given), when: suppress, then: subscriberPast{bounced}},
		{name: "asked twice", given: member(bounced), when: suppress},
		{name: "with other words", given: member(bounced), when: with(func(c *SuppressSubscriber) { c.Note = personal.Text{} })},
		{name: "another reason is news", given: member(complained), when: suppress, then: subscriberPast{bounced}},
		{name: "again after it was settled", given: member(bounced, settled), when: suppress, then: subscriberPast{bounced}},
		{name: "no such reason", given: member(), when: with(func(c *SuppressSubscriber) { c.Reason = "whim" }), refused: "unknown_reason"},
		{name: "an objection is none", given: member(), when: with(func(c *SuppressSubscriber) { c.Reason = subscriber.Objection }), refused: "unknown_reason"},
		{name: "a long note", given: member(), when: with(func(c *SuppressSubscriber) { c.Note = text(long) }), refused: "text_too_long"},
		{name: "a sealed note", given: member(), when: with(func(c *SuppressSubscriber) { c.Note = personal.SealedText([]byte("x")) }), refused: "bad_text"},
		{name: "nobody", when: suppress, refused: "not_found"},
		{name: "erased", given: subscriberPast{added, gone}, when: suppress, refused: "subject_erased"},
	})
}

func TestUnsuppressSubscriber(t *testing.T) {
	with := func(change func(*UnsuppressSubscriber)) UnsuppressSubscriber { c := unsuppress; change(&c); return c }
	check(t, []subscriberRow{
		{name: "settles a reason", given: member(bounced), when: unsuppress, then: subscriberPast{settled}},
		{name: "asked twice", given: member(bounced, settled), when: unsuppress},
		{name: "leaves the others", given: member(bounced, complained), when: unsuppress, then: subscriberPast{settled}},
		{name: "another reason stands", given: member(complained), when: unsuppress},
		{
			name: "settles them all, and no more than those", given: member(restricted, bounced, objected, complained),
			when: with(func(c *UnsuppressSubscriber) { c.Reason = "" }),
			then: subscriberPast{settled, subscriber.Unsuppressed{Reason: subscriber.Complaint, Note: remark}},
		},
		{name: "lifts no restriction", given: member(restricted), when: with(func(c *UnsuppressSubscriber) { c.Reason = subscriber.Restriction }), refused: "unknown_reason"},
		{name: "says why", given: member(bounced), when: with(func(c *UnsuppressSubscriber) { c.Note = text(" ") }), refused: "text_missing"},
		{name: "in words that can be kept", given: member(bounced), when: with(func(c *UnsuppressSubscriber) { c.Note = text("a\x00") }), refused: "bad_text"},
		{name: "nobody", when: unsuppress, refused: "not_found"},
		{name: "erased", given: subscriberPast{added, gone}, when: unsuppress, refused: "subject_erased"},
	})
}

func TestRestriction(t *testing.T) {
	with := func(change func(*LiftRestriction)) LiftRestriction { c := lift; change(&c); return c }
	check(t, []subscriberRow{
		{name: "restricts", given: member(given), when: restrict, then: subscriberPast{restricted}},
		{name: "asked twice", given: member(restricted), when: restrict},
		{name: "again after it was lifted", given: member(restricted, lifted), when: restrict, then: subscriberPast{restricted}},
		{name: "a long note", given: member(), when: RestrictSubscriber{Person: ada, Note: text(long)}, refused: "text_too_long"},
		{name: "nobody to restrict", when: restrict, refused: "not_found"},
		{name: "erased", given: subscriberPast{added, gone}, when: restrict, refused: "subject_erased"},

		{name: "lifts", given: member(restricted), when: lift, then: subscriberPast{lifted}},
		{name: "lifted twice", given: member(restricted, lifted), when: lift},
		{name: "nothing to lift", given: member(bounced, objected), when: lift},
		{name: "the person was not told", given: member(restricted), when: with(func(c *LiftRestriction) { c.InformedAt = time.Time{} }), refused: "not_informed"},
		{name: "the person will be told", given: member(restricted), when: with(func(c *LiftRestriction) { c.InformedAt = tonight.Add(time.Second) }), refused: "not_informed"},
		{name: "told before time began", given: member(restricted), when: with(func(c *LiftRestriction) { c.InformedAt = time.Date(-1, 1, 1, 0, 0, 0, 0, time.UTC) }), refused: "bad_time"},
		{name: "a long note on the end", given: member(restricted), when: with(func(c *LiftRestriction) { c.Note = text(long) }), refused: "text_too_long"},
		{name: "nobody to free", when: lift, refused: "not_found"},
		{name: "freed and erased", given: subscriberPast{added, gone}, when: lift, refused: "subject_erased"},
	})
}

func TestObjection(t *testing.T) {
	no := func(p consent.Purpose, list domain.ID) consent.Revoked {
		return consent.Revoked{Purpose: p, List: list, Method: consent.ByDataRequest, IP: ip, Client: client}
	}
	tracked, notices := consent.Given{Purpose: consent.OpenTracking}, consent.Given{Purpose: consent.PolicyNotices}
	off := no(consent.Mailing, one)
	check(t, []subscriberRow{
		{name: "objects", given: member(), when: object, then: subscriberPast{objected}},
		{name: "ends what was agreed to", given: member(given, tracked), when: object, then: subscriberPast{objected, off, no(consent.OpenTracking, domain.ID{})}},
		{name: "leaves what is no marketing", given: member(notices), when: object, then: subscriberPast{objected}},
		{name: "ends what the account claims", given: member(claim), when: object, then: subscriberPast{objected, off, no(consent.OpenTracking, domain.ID{})}},
		{name: "ends what was asked", given: member(asked), when: object, then: subscriberPast{objected, off}},
		{name: "says no more of what is over", given: member(given, revoked), when: object, then: subscriberPast{objected}},
		{name: "asked twice", given: member(given, objected, off), when: object},
		{name: "again after a later yes", given: member(given, objected, off, given), when: object, then: subscriberPast{objected, off}},
		{name: "again after a later question", given: member(given, objected, off, asked), when: object, then: subscriberPast{objected, off}},
		{name: "a file objects for nobody", given: member(), when: ObjectSubscriber{Person: ada, Method: consent.ByImport}, refused: "unknown_method"},
		{name: "nobody", when: object, refused: "not_found"},
		{name: "erased", given: subscriberPast{added, gone}, when: object, refused: "subject_erased"},

		{name: "takes it back", given: member(given, objected, off), when: withdraw, then: subscriberPast{reconciled}},
		{name: "taken back twice", given: member(objected, reconciled), when: withdraw},
		{name: "nothing to take back", given: member(restricted, bounced), when: withdraw},
		{name: "without a word", given: member(objected), when: WithdrawObjection{Person: ada, Method: consent.ByAPI}, refused: "text_missing"},
		{name: "not by a file", given: member(objected), when: WithdrawObjection{Person: ada, Method: consent.ByImport, Note: remark}, refused: "not_first_hand"},
		{name: "nobody's", when: withdraw, refused: "not_found"},
		{name: "an erased person's", given: subscriberPast{added, gone}, when: withdraw, refused: "subject_erased"},

		{name: "a yes after it is recorded", given: member(given, objected, off), when: give, then: subscriberPast{given}},
		{name: "an old link confirms nothing", given: member(asked, objected, off), when: confirm, refused: "nothing_to_confirm"},
	})
}

// A file changes nothing of who is restricted, and claims no consent of who objected.
func TestImportOfSomebodyHeldBack(t *testing.T) {
	other := importWith(func(c *ImportSubscriber) { c.List, c.Name = two, text("Countess") })
	renamed := subscriber.Rectified{Email: mail, Name: text("Countess"), Attributes: city, Source: subscriber.SourceImport}
	check(t, []subscriberRow{
		{name: "restricted", given: member(restricted), when: other},
		{name: "objected", given: member(objected), when: other, then: subscriberPast{renamed, subscriber.Joined{List: two}}},
		{
			name: "objected, and the file claims what is no marketing", given: member(objected),
			when: importWith(func(c *ImportSubscriber) { c.Purposes = []consent.Purpose{consent.Mailing, consent.PolicyNotices} }),
			then: subscriberPast{consent.Asserted{Purposes: []consent.Purpose{consent.PolicyNotices}, List: one, Import: three, Row: 7, ClaimedAt: noon}},
		},
		{name: "suppressed", given: member(bounced), when: importIt, then: subscriberPast{claim}},
	})
}

// Whatever is asked in whatever order: each hold ends by what ends it, by
// nothing else, and never by an import.
func TestHoldsHold(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var s subscriber.Subscriber
		for _, cmd := range rapid.SliceOfN(anySubscriberCommand(), 0, 40).Draw(t, "asked") {
			before := s
			events, _ := cmd.Decide(s)
			for _, e := range events {
				s = s.Evolve(e)
			}
			for _, h := range before.Standing {
				if !s.Erased && !s.Standing.Has(h) && !ends(cmd, h) {
					t.Fatalf("%T ended %s", cmd, h)
				}
			}
		}
	})
}

func ends(cmd any, h subscriber.Hold) bool {
	switch c := cmd.(type) {
	case UnsuppressSubscriber:
		return h.Suppresses() && (c.Reason == h || c.Reason == "")
	case LiftRestriction:
		return h == subscriber.Restriction
	case WithdrawObjection:
		return h == subscriber.Objection
	}
	return false
}

// While an objection stands, the only consents to marketing are the person's
// own words since: the account cannot talk one into being.
func TestAfterAnObjectionOnlyThePersonAgrees(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s, _ := lived(t, anySubscriberCommand())
		if !s.Exists || s.Erased {
			return
		}
		events, err := object.Decide(s)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range events {
			s = s.Evolve(e)
		}
		for _, a := range s.Consents {
			if subscriber.IsMarketing(a.Purpose) && (a.InForce(false) || a.Confirmable()) {
				t.Fatalf("the objection left %+v", a)
			}
		}
		for _, cmd := range rapid.SliceOfN(anySubscriberCommand(), 0, 20).Draw(t, "since") {
			events, _ := cmd.Decide(s)
			for _, e := range events {
				s = s.Evolve(e)
			}
			for _, a := range s.Consents {
				if s.Standing.Has(subscriber.Objection) && subscriber.IsMarketing(a.Purpose) && a.Status == consent.StatusAsserted {
					t.Fatalf("%T asserted %+v", cmd, a)
				}
			}
		}
	})
}
