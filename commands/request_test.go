package commands_test

import (
	"testing"
	"time"

	. "github.com/cleversender/cleversender/commands"
	"github.com/cleversender/cleversender/domain"
	"github.com/cleversender/cleversender/domain/privacyrequest"
)

var (
	due         = noon.Add(30 * 24 * time.Hour)
	wantsAccess = privacyrequest.Received{Kind: privacyrequest.Access, Due: due}
	noUse       = privacyrequest.Received{Kind: privacyrequest.Restriction, Due: due}
	noAds       = privacyrequest.Received{Kind: privacyrequest.Objection, Due: due}
	wantsOut    = privacyrequest.Received{Kind: privacyrequest.Erasure, Due: due}
	bundled     = privacyrequest.AccessFulfilled{Position: 99, Events: 12, SHA256: digest}
	redacted    = privacyrequest.ErasureFulfilled{Redaction: two, Keys: 3, Events: 12, Suppressed: true}

	openAccess = OpenRequest{Request: one, Person: ada, Kind: privacyrequest.Access, Now: noon}
	bundle     = FulfilAccess{Request: one, Person: ada, Position: 99, Events: 12, SHA256: digest}
	redact     = FulfilErasure{Request: one, Person: ada, Redaction: two, Keys: 3, Events: 12, Suppressed: true}
)

func TestOpenRequest(t *testing.T) {
	with := func(change func(*OpenRequest)) OpenRequest { c := openAccess; change(&c); return c }
	check(t, []requestRow{
		{name: "starts the clock", when: openAccess, then: requestPast{wantsAccess}},
		{name: "starts it for an erasure", when: with(func(c *OpenRequest) { c.Kind = privacyrequest.Erasure }), then: requestPast{wantsOut}},
		{name: "asked twice", given: requestPast{wantsAccess}, when: openAccess},
		{name: "asked again later: the first asking counts", given: requestPast{wantsAccess}, when: with(func(c *OpenRequest) { c.Now = tonight })},
		{name: "asked again when fulfilled", given: requestPast{wantsAccess, bundled}, when: openAccess},
		{name: "for something else", given: requestPast{wantsOut}, when: openAccess, refused: "already_exists"},
		{name: "unknown kind", when: with(func(c *OpenRequest) { c.Kind = "party" }), refused: "unknown_kind"},
		{name: "about nobody", when: with(func(c *OpenRequest) { c.Person = domain.ID{} }), refused: "person_required"},
		{name: "beyond time", when: with(func(c *OpenRequest) { c.Now = time.Date(9999, 12, 31, 0, 0, 0, 0, time.UTC) }), refused: "bad_time"},
	})
}

func TestFulfilAccess(t *testing.T) {
	with := func(change func(*FulfilAccess)) FulfilAccess { c := bundle; change(&c); return c }
	check(t, []requestRow{
		{name: "notes the bundle", given: requestPast{wantsAccess}, when: bundle, then: requestPast{bundled}},
		{name: "asked twice", given: requestPast{wantsAccess, bundled}, when: bundle},
		{name: "the first bundle stands", given: requestPast{wantsAccess, bundled}, when: with(func(c *FulfilAccess) { c.Position = 200 })},
		{name: "no such request", when: bundle, refused: "not_found"},
		{name: "an erasure", given: requestPast{wantsOut}, when: bundle, refused: "wrong_kind"},
		{name: "no digest", given: requestPast{wantsAccess}, when: with(func(c *FulfilAccess) { c.SHA256 = "" }), refused: "bad_digest"},
		{name: "a negative count", given: requestPast{wantsAccess}, when: with(func(c *FulfilAccess) { c.Events = -1 }), refused: "bad_number"},
	})
}

func TestFulfilErasure(t *testing.T) {
	with := func(change func(*FulfilErasure)) FulfilErasure { c := redact; change(&c); return c }
	check(t, []requestRow{
		{name: "notes what is gone", given: requestPast{wantsOut}, when: redact, then: requestPast{redacted}},
		{name: "asked twice", given: requestPast{wantsOut, redacted}, when: redact},
		{name: "the first fulfilment stands", given: requestPast{wantsOut, redacted}, when: with(func(c *FulfilErasure) { c.Keys = 0 })},
		{name: "no such request", when: redact, refused: "not_found"},
		{name: "an access", given: requestPast{wantsAccess}, when: redact, refused: "wrong_kind"},
		{name: "no redaction", given: requestPast{wantsOut}, when: with(func(c *FulfilErasure) { c.Redaction = domain.ID{} }), refused: "redaction_required"},
		{name: "a negative count", given: requestPast{wantsOut}, when: with(func(c *FulfilErasure) { c.Keys = -1 }), refused: "bad_number"},
	})
}

func TestFulfilHold(t *testing.T) {
	hold := FulfilHold{Request: one, Person: ada, Hold: two}
	unused, spared := privacyrequest.RestrictionFulfilled{Hold: two}, privacyrequest.ObjectionFulfilled{Hold: two}
	check(t, []requestRow{
		{name: "notes what restricts", given: requestPast{noUse}, when: hold, then: requestPast{unused}},
		{name: "asked twice", given: requestPast{noUse, unused}, when: hold},
		{name: "notes what spares", given: requestPast{noAds}, when: hold, then: requestPast{spared}},
		{name: "the first event stands", given: requestPast{noAds, spared}, when: FulfilHold{Request: one, Person: ada, Hold: three}},
		{name: "no such request", when: hold, refused: "not_found"},
		{name: "an access", given: requestPast{wantsAccess}, when: hold, refused: "wrong_kind"},
		{name: "no event", given: requestPast{noUse}, when: FulfilHold{Request: one, Person: ada}, refused: "hold_required"},
	})
}
