package commands_test

import (
	"strconv"
	"strings"
	"testing"

	. "github.com/cleversender/cleversender/commands"
	"github.com/cleversender/cleversender/domain/signing"
)

var (
	hasKey   = signing.KeyCreated{Domain: "books.example", Selector: "s1", Algorithm: signing.RSA, PublicKey: "TUlJ"}
	makeKey  = CreateDKIMKey{one, "books.example", "s1", signing.RSA, "TUlJ"}
	signs    = signing.KeyActivated{Selector: "s1"}
	retired  = signing.KeyRetired{Selector: "s1"}
	activate = ActivateDKIMKey{one, "s1"}
	retire   = RetireDKIMKey{one, "s1"}
)

// dkimKeys is a past of n keys, named s1, s2 and so on.
func dkimKeys(n int, then func(selector string) signing.Event) (past signingPast) {
	for i := range n {
		k := hasKey
		k.Selector = "s" + strconv.Itoa(i+2)
		past = append(past, k)
		if then != nil {
			past = append(past, then(k.Selector))
		}
	}
	return past
}

func TestCreateDKIMKey(t *testing.T) {
	with := func(change func(*CreateDKIMKey)) CreateDKIMKey { c := makeKey; change(&c); return c }
	gone := func(s string) signing.Event { return signing.KeyRetired{Selector: s} }
	rows := []signingRow{
		{name: "has a key", when: makeKey, then: signingPast{hasKey}},
		{name: "asked twice", given: signingPast{hasKey}, when: makeKey},
		{name: "asked again when it signs", given: signingPast{hasKey, signs}, when: makeKey},
		{name: "a retired one does not come back", given: signingPast{hasKey, retired}, when: makeKey, refused: "dkim_key_retired"},
		{name: "another key", given: signingPast{hasKey}, when: with(func(c *CreateDKIMKey) { c.PublicKey = "TUlK" }), refused: "already_exists"},
		{name: "one too many", given: dkimKeys(20, nil), when: makeKey, refused: "too_many_dkim_keys"},
		{name: "retired ones do not count", given: dkimKeys(20, gone), when: makeKey, then: signingPast{hasKey}},
		{name: "no such algorithm", when: with(func(c *CreateDKIMKey) { c.Algorithm = "dsa" }), refused: "unknown_algorithm"},
		{name: "no public key", when: with(func(c *CreateDKIMKey) { c.PublicKey = "" }), refused: "bad_public_key"},
		{name: "a public key that would end the record", when: with(func(c *CreateDKIMKey) { c.PublicKey = "TU; t=y" }), refused: "bad_public_key"},
	}
	for _, name := range []string{"", "example", "Books.example", "bücher.example", "a b.example", ".example", "books.example.", "-a.example", strings.Repeat("a", 64) + ".example"} {
		rows = append(rows, signingRow{name: "domain " + name, when: with(func(c *CreateDKIMKey) { c.Name = name }), refused: "bad_domain"})
	}
	for _, selector := range []string{"", "S1", "a_b", "a..b", "a;b", strings.Repeat("a.", 120) + "a"} {
		rows = append(rows, signingRow{name: "selector " + selector, when: with(func(c *CreateDKIMKey) { c.Selector = selector }), refused: "bad_selector"})
	}
	check(t, rows)
}

func TestActivateDKIMKey(t *testing.T) {
	check(t, []signingRow{
		{name: "signs", given: signingPast{hasKey}, when: activate, then: signingPast{signs}},
		{name: "asked twice", given: signingPast{hasKey, signs}, when: activate},
		{name: "no such key", given: dkimKeys(1, nil), when: activate, refused: "not_found"},
		{name: "a retired one does not come back", given: signingPast{hasKey, retired}, when: activate, refused: "dkim_key_retired"},
		{name: "one too many", given: append(dkimKeys(4, func(s string) signing.Event { return signing.KeyActivated{Selector: s} }), hasKey),
			when: activate, refused: "too_many_dkim_keys"},
	})
}

func TestRetireDKIMKey(t *testing.T) {
	check(t, []signingRow{
		{name: "signs no more", given: signingPast{hasKey, signs}, when: retire, then: signingPast{retired}},
		{name: "one that never signed", given: signingPast{hasKey}, when: retire, then: signingPast{retired}},
		{name: "asked twice", given: signingPast{hasKey, signs, retired}, when: retire},
		{name: "no such key", given: dkimKeys(1, nil), when: retire, refused: "not_found"},
	})
}
