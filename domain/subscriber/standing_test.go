package subscriber_test

import (
	"reflect"
	"testing"

	"github.com/cleversender/cleversender/domain"
	"github.com/cleversender/cleversender/domain/consent"
	"github.com/cleversender/cleversender/domain/delivery"
	. "github.com/cleversender/cleversender/domain/subscriber"
)

// What a person may still be sent, and why not.
func TestWithhold(t *testing.T) {
	for _, c := range []struct {
		name               string
		past               []any
		marketing, service delivery.Reason
	}{
		{name: "nothing stands against it"},
		{"restricted", []any{Restricted{}}, delivery.Restricted, delivery.Restricted},
		{"restricted no longer", []any{Restricted{}, RestrictionLifted{}}, "", ""},
		{"objected", []any{Objected{}}, delivery.Objected, ""},
		{"objected no longer", []any{Objected{}, ObjectionWithdrawn{}}, "", ""},
		{"a dead address", []any{Suppressed{Reason: HardBounce}}, delivery.Suppressed, delivery.Suppressed},
		{"a full mailbox", []any{Suppressed{Reason: SoftBounces}}, delivery.Suppressed, delivery.Suppressed},
		{"by hand", []any{Suppressed{Reason: Manual}}, delivery.Suppressed, delivery.Suppressed},
		{"complained", []any{Suppressed{Reason: Complaint}}, delivery.Suppressed, ""},
		{"one of two reasons is settled", []any{Suppressed{Reason: HardBounce}, Suppressed{Reason: Complaint}, Unsuppressed{Reason: HardBounce}}, delivery.Suppressed, ""},
		{"a reason that nobody knows", []any{Suppressed{Reason: "whim"}}, "", ""},
		{"another ends nothing", []any{Restricted{}, Unsuppressed{Reason: Restriction}, ObjectionWithdrawn{}}, delivery.Restricted, delivery.Restricted},
		{"the gravest is what counts", []any{Suppressed{Reason: Manual}, Objected{}, Restricted{}}, delivery.Restricted, delivery.Restricted},
		{"then the objection", []any{Suppressed{Reason: Manual}, Objected{}}, delivery.Objected, delivery.Suppressed},
		{"said twice, taken back once", []any{Objected{}, Objected{}, ObjectionWithdrawn{}}, "", ""},
		{"a consent is no end of it", []any{Objected{}, consent.Given{Purpose: consent.Mailing}}, delivery.Objected, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			var s Standing
			for _, e := range c.past {
				s = s.Apply(e)
			}
			if m, service := s.Withhold(Marketing), s.Withhold(Service); m != c.marketing || service != c.service {
				t.Errorf("%v: marketing %q, service %q", s, m, service)
			}
		})
	}
}

// An objection holds a list's mail back until the person agrees to that list;
// what the account says of them changes nothing, and no other hold ends by it.
func TestHeldBack(t *testing.T) {
	yes, no := consent.Given{Purpose: consent.Mailing, List: letter}, consent.Revoked{Purpose: consent.Mailing, List: letter}
	claimed := consent.Asserted{Purposes: consent.Purposes, List: letter}
	for _, c := range []struct {
		name string
		past []Event
		want delivery.Reason
	}{
		{"nothing", []Event{added, yes}, ""},
		{"objected", []Event{added, yes, Objected{}, no}, delivery.Objected},
		{"agreed again", []Event{added, yes, Objected{}, no, yes}, ""},
		{"to another list", []Event{added, Objected{}, consent.Given{Purpose: consent.Mailing, List: domain.ID{2}}}, delivery.Objected},
		{"claimed", []Event{added, Objected{}, claimed}, delivery.Objected},
		{"agreed again, and suppressed", []Event{added, Objected{}, yes, Suppressed{Reason: Complaint}}, delivery.Suppressed},
		{"agreed again, and restricted", []Event{added, Objected{}, yes, Restricted{}}, delivery.Restricted},
	} {
		if got := fold(Subscriber{}, c.past...).HeldBack(letter); got != c.want {
			t.Errorf("%s: %q", c.name, got)
		}
	}
}

// A standing is a value: what came after changes none that was.
func TestStandingIsAValue(t *testing.T) {
	before := Standing(nil).Apply(Restricted{}).Apply(Objected{}).Apply(Suppressed{Reason: Manual})
	was := Standing{Restriction, Objection, Manual}
	for _, e := range []any{RestrictionLifted{}, ObjectionWithdrawn{}, Suppressed{Reason: Complaint}, Unsuppressed{Reason: Manual}} {
		before.Apply(e)
	}
	if !reflect.DeepEqual(before, was) {
		t.Errorf("%v", before)
	}
}
