package commands_test

import (
	"strings"
	"testing"

	. "github.com/cleversender/cleversender/commands"
	"github.com/cleversender/cleversender/domain"
	"github.com/cleversender/cleversender/domain/consent"
)

var (
	ip, client = text("192.0.2.7"), text("Mozilla/5.0")

	asked     = consent.Requested{Purpose: consent.Mailing, List: one, Method: consent.ByForm}
	asserted  = consent.Asserted{Purposes: []consent.Purpose{consent.Mailing}, List: one}
	given     = consent.Given{Purpose: consent.Mailing, List: one, Method: consent.ByForm, Wording: digest, IP: ip, Client: client}
	confirmed = consent.Confirmed{Purpose: consent.Mailing, List: one, Method: consent.ByConfirmLink, IP: ip, Client: client}
	revoked   = consent.Revoked{Purpose: consent.Mailing, List: one, Method: consent.ByOneClick, IP: ip, Client: client}

	request = RequestConsent{Person: ada, Purpose: consent.Mailing, List: one, Method: consent.ByForm}
	give    = GiveConsent{Person: ada, Purpose: consent.Mailing, List: one, Method: consent.ByForm, Wording: digest, IP: ip, Client: client}
	confirm = ConfirmConsent{Person: ada, Purpose: consent.Mailing, List: one, Method: consent.ByConfirmLink, IP: ip, Client: client}
	revoke  = RevokeConsent{Person: ada, Purpose: consent.Mailing, List: one, Method: consent.ByOneClick, IP: ip, Client: client}
)

// member is the past of somebody on the list, and what was said since.
func member(said ...interface{ IsSubscriberEvent() }) subscriberPast {
	past := subscriberPast{added, onOne}
	for _, e := range said {
		past = append(past, e)
	}
	return past
}

func TestRequestConsent(t *testing.T) {
	check(t, []subscriberRow{
		{name: "asks", given: member(), when: request, then: subscriberPast{asked}},
		{name: "puts on the list", given: subscriberPast{added}, when: request, then: subscriberPast{onOne, asked}},
		{name: "asked twice", given: member(asked), when: request},
		{name: "nothing to ask of who confirmed", given: member(asked, confirmed), when: request},
		{name: "asks to prove a yes by form", given: member(given), when: request, then: subscriberPast{asked}},
		{name: "asks for the person's own word", given: member(asserted), when: request, then: subscriberPast{asked}},
		{name: "asks again after a no", given: member(given, revoked), when: request, then: subscriberPast{asked}},
	})
}

func TestGiveConsent(t *testing.T) {
	with := func(change func(*GiveConsent)) GiveConsent { c := give; change(&c); return c }
	check(t, []subscriberRow{
		{name: "notes the yes", given: member(), when: give, then: subscriberPast{given}},
		{name: "puts on the list", given: subscriberPast{added}, when: give, then: subscriberPast{onOne, given}},
		{name: "asked twice", given: member(given), when: give},
		{name: "adds nothing to a proof", given: member(asked, confirmed), when: give},
		{name: "adds the person's word to the account's", given: member(asserted), when: give, then: subscriberPast{given}},
		{name: "is the way back after a no", given: member(given, revoked), when: give, then: subscriberPast{given}},
		{name: "a file is no first hand", given: member(), when: with(func(c *GiveConsent) { c.Method = consent.ByImport }), refused: "not_first_hand"},
		{name: "a wording is a digest", given: member(), when: with(func(c *GiveConsent) { c.Wording = "I agree" }), refused: "bad_digest"},
		{
			name: "a purpose without a list", given: member(),
			when: GiveConsent{Person: ada, Purpose: consent.OpenTracking, Method: consent.ByAPI},
			then: subscriberPast{consent.Given{Purpose: consent.OpenTracking, Method: consent.ByAPI}},
		},
		{name: "that purpose, asked twice", given: member(consent.Given{Purpose: consent.OpenTracking}), when: GiveConsent{Person: ada, Purpose: consent.OpenTracking, Method: consent.ByAPI}},
	})
}

func TestConfirmConsent(t *testing.T) {
	with := func(change func(*ConfirmConsent)) ConfirmConsent { c := confirm; change(&c); return c }
	check(t, []subscriberRow{
		{name: "completes double opt-in", given: member(asked), when: confirm, then: subscriberPast{confirmed}},
		{name: "proves a yes by form", given: member(given), when: confirm, then: subscriberPast{confirmed}},
		{name: "asked twice", given: member(asked, confirmed), when: confirm},
		{name: "comes back after a new request", given: member(given, revoked, asked), when: confirm, then: subscriberPast{confirmed}},
		{name: "makes the account's word the person's", given: member(asserted, asked), when: confirm, then: subscriberPast{confirmed}},
		{name: "nothing was asked", given: member(), when: confirm, refused: "nothing_to_confirm"},
		{name: "nothing but the account's word", given: member(asserted), when: confirm, refused: "nothing_to_confirm"},
		{name: "an old link after a no", given: member(asked, confirmed, revoked), when: confirm, refused: "nothing_to_confirm"},
		{name: "asked about another list", given: member(consent.Requested{Purpose: consent.Mailing, List: two}), when: confirm, refused: "nothing_to_confirm"},
		{name: "a file proves nothing", given: member(asked), when: with(func(c *ConfirmConsent) { c.Method = consent.ByImport }), refused: "not_first_hand"},
	})
}

func TestRevokeConsent(t *testing.T) {
	check(t, []subscriberRow{
		{name: "notes the no", given: member(given), when: revoke, then: subscriberPast{revoked}},
		{name: "asked twice", given: member(given, revoked), when: revoke},
		{name: "objects in advance", given: subscriberPast{added}, when: revoke, then: subscriberPast{revoked}},
		{name: "ends an open question", given: member(asked), when: revoke, then: subscriberPast{revoked}},
		{name: "ends a question since the last no", given: member(given, revoked, asked), when: revoke, then: subscriberPast{revoked}},
		{name: "ends the account's word", given: member(asserted), when: revoke, then: subscriberPast{revoked}},
	})
}

// What no answer can be about is refused by all four in the same way.
func TestConsentRefusals(t *testing.T) {
	type all struct {
		past    subscriberPast
		person  domain.ID
		purpose consent.Purpose
		list    domain.ID
		method  consent.Method
		refused string
	}
	for what, c := range map[string]all{
		"nobody":                  {nil, ada, consent.Mailing, one, consent.ByForm, "not_found"},
		"erased":                  {member(given, gone), ada, consent.Mailing, one, consent.ByForm, "subject_erased"},
		"unknown purpose":         {member(), ada, "fun", one, consent.ByForm, "unknown_purpose"},
		"mailing without list":    {member(), ada, consent.Mailing, domain.ID{}, consent.ByForm, "list_required"},
		"tracking with a list":    {member(), ada, consent.OpenTracking, one, consent.ByForm, "list_not_expected"},
		"unknown way":             {member(), ada, consent.Mailing, one, "telepathy", "unknown_method"},
		"no way at all":           {member(), ada, consent.Mailing, one, "", "unknown_method"},
		"policy notice of a list": {member(), ada, consent.PolicyNotices, one, consent.ByForm, "list_not_expected"},
	} {
		check(t, []subscriberRow{
			{name: "request: " + what, given: c.past, refused: c.refused, when: RequestConsent{c.person, c.purpose, c.list, c.method}},
			{name: "give: " + what, given: c.past, refused: c.refused, when: GiveConsent{Person: c.person, Purpose: c.purpose, List: c.list, Method: c.method}},
			{name: "confirm: " + what, given: c.past, refused: c.refused, when: ConfirmConsent{Person: c.person, Purpose: c.purpose, List: c.list, Method: c.method}},
			{name: "revoke: " + what, given: c.past, refused: c.refused, when: RevokeConsent{Person: c.person, Purpose: c.purpose, List: c.list, Method: c.method}},
		})
	}
}

// Evidence that is no text is made fit to be kept: nothing that a browser
// sends stands in the way of a no.
func TestOddEvidenceStopsNoWithdrawal(t *testing.T) {
	odd := revoke
	odd.IP, odd.Client = text("\xff\n192.0.2.7"), text("Mozilla\r\n"+strings.Repeat("é", 1000))
	want := revoked
	want.IP, want.Client = text("192.0.2.7"), text("Mozilla  "+strings.Repeat("é", 245))
	check(t, []subscriberRow{{name: "cut and cleaned", given: member(given), when: odd, then: subscriberPast{want}}})
}
