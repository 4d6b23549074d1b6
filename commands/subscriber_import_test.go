package commands_test

import (
	"testing"
	"time"

	. "github.com/cleversender/cleversender/commands"
	"github.com/cleversender/cleversender/domain"
	"github.com/cleversender/cleversender/domain/consent"
	"github.com/cleversender/cleversender/domain/personal"
	"github.com/cleversender/cleversender/domain/subscriber"
)

var (
	both     = []consent.Purpose{consent.Mailing, consent.OpenTracking}
	imported = subscriber.Added{Email: mail, Name: name, Attributes: city, Source: subscriber.SourceImport, Import: three, Row: 7}
	claim    = consent.Asserted{Purposes: both, List: one, Import: three, Row: 7, ClaimedAt: noon}
	importIt = ImportSubscriber{
		Person: ada, Email: mail, Name: name, Attributes: city,
		List: one, Purposes: both, Import: three, Row: 7, ClaimedAt: noon,
	}
)

func importWith(change func(*ImportSubscriber)) ImportSubscriber { c := importIt; change(&c); return c }

func TestImportSubscriber(t *testing.T) {
	only := func(p ...consent.Purpose) consent.Asserted { c := claim; c.Purposes = p; return c }
	check(t, []subscriberRow{
		{name: "adds, joins and asserts", when: importIt, then: subscriberPast{imported, onOne, claim}},
		{name: "the same row twice", given: subscriberPast{imported, onOne, claim}, when: importIt},
		{name: "the same person in a later row", given: subscriberPast{imported, onOne, claim}, when: importWith(func(c *ImportSubscriber) { c.Row = 8 })},
		{
			name: "asserts nothing when nothing is claimed", when: importWith(func(c *ImportSubscriber) { c.Purposes = nil }),
			then: subscriberPast{imported, onOne},
		},
		{
			name: "without a list", when: importWith(func(c *ImportSubscriber) { c.List, c.Purposes = domain.ID{}, both[1:] }),
			then: subscriberPast{imported, consent.Asserted{Purposes: both[1:], Import: three, Row: 7, ClaimedAt: noon}},
		},
		{name: "joins another list", given: subscriberPast{imported, onOne, claim}, when: importWith(func(c *ImportSubscriber) { c.List = two }), then: subscriberPast{
			subscriber.Joined{List: two}, consent.Asserted{Purposes: both[:1], List: two, Import: three, Row: 7, ClaimedAt: noon},
		}},
		{name: "leaves a no alone", given: member(given, revoked), when: importIt, then: subscriberPast{only(consent.OpenTracking)}},
		{name: "leaves every no alone", given: member(revoked, consent.Revoked{Purpose: consent.OpenTracking}), when: importIt},
		{name: "leaves a no alone that was asked again", given: member(revoked, asked, claim), when: importIt},
		{name: "leaves the person's yes alone", given: member(given), when: importIt, then: subscriberPast{only(consent.OpenTracking)}},
		{name: "answers an open question", given: member(asked), when: importIt, then: subscriberPast{claim}},
		{name: "does not bring back the erased", given: subscriberPast{imported, gone}, when: importIt, refused: "subject_erased"},
	})
}

func TestImportCompletes(t *testing.T) {
	held := subscriberPast{imported, onOne, claim}
	town := personal.FieldsOf(map[string]string{"city": "Paris", "plan": "pro"})
	rectified := func(n personal.Text, a personal.Fields) subscriberPast {
		return subscriberPast{subscriber.Rectified{Email: mail, Name: n, Attributes: a, Source: subscriber.SourceImport}}
	}
	check(t, []subscriberRow{
		{name: "a new name", given: held, when: importWith(func(c *ImportSubscriber) { c.Name = text("Countess") }), then: rectified(text("Countess"), city)},
		{name: "an empty name says nothing", given: held, when: importWith(func(c *ImportSubscriber) { c.Name = personal.Text{} })},
		{name: "new attributes on top", given: held, when: importWith(func(c *ImportSubscriber) { c.Attributes = town }), then: rectified(name, town)},
		{name: "the others stay", given: held, when: importWith(func(c *ImportSubscriber) {
			c.Attributes = personal.FieldsOf(map[string]string{"plan": "pro"})
		}), then: rectified(name, personal.FieldsOf(map[string]string{"city": "London", "plan": "pro"}))},
		{name: "an empty cell says nothing", given: held, when: importWith(func(c *ImportSubscriber) {
			c.Attributes = personal.FieldsOf(map[string]string{"city": "", "plan": ""})
		})},
		{name: "no attributes say nothing", given: held, when: importWith(func(c *ImportSubscriber) { c.Attributes = personal.Fields{} })},
		{name: "another spelling of the address stays out", given: held, when: importWith(func(c *ImportSubscriber) { c.Email = text("ADA@example.org") })},
	})
}

func TestImportRefusals(t *testing.T) {
	for code, change := range map[string]func(*ImportSubscriber){
		"bad_address":     func(c *ImportSubscriber) { c.Email = text("ada") },
		"bad_text":        func(c *ImportSubscriber) { c.Name = text("a\nb") },
		"text_too_long":   func(c *ImportSubscriber) { c.Attributes = personal.FieldsOf(map[string]string{"a": long}) },
		"unknown_purpose": func(c *ImportSubscriber) { c.Purposes = []consent.Purpose{"fun"} },
		"list_required":   func(c *ImportSubscriber) { c.List = domain.ID{} },
		"bad_number":      func(c *ImportSubscriber) { c.Row = -1 },
		"bad_time":        func(c *ImportSubscriber) { c.ClaimedAt = time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC) },
	} {
		check(t, []subscriberRow{
			{name: code, when: importWith(change), refused: code},
			{name: code + ", held already", given: subscriberPast{imported}, when: importWith(change), refused: code},
		})
	}
	twice := importWith(func(c *ImportSubscriber) { c.Purposes = []consent.Purpose{both[0], both[0]} })
	check(t, []subscriberRow{{name: "a purpose twice", when: twice, refused: "unknown_purpose"}})
}

// Attributes that would grow past the limit, row by row, are refused.
func TestImportCannotGrowAPersonForEver(t *testing.T) {
	many := map[string]string{}
	for i := range 50 {
		many["n"+string(rune('A'+i))] = "x"
	}
	full := imported
	full.Attributes = personal.FieldsOf(many)
	check(t, []subscriberRow{{name: "one too many", given: subscriberPast{full}, when: importIt, refused: "too_many_attributes"}})
}

// A row of somebody new costs its events, and no more.
func TestImportIsFrugal(t *testing.T) {
	if n := testing.AllocsPerRun(100, func() {
		if events, err := importIt.Decide(subscriber.Subscriber{}); err != nil || len(events) != 3 {
			t.Fatal(events, err)
		}
	}); n > 4 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkImportSubscriber(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, err := importIt.Decide(subscriber.Subscriber{}); err != nil {
			b.Fatal(err)
		}
	}
}
