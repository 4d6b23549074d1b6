package commands_test

import (
	"testing"

	. "github.com/cleversender/cleversender/commands"
	"github.com/cleversender/cleversender/domain/account"
)

var (
	acme   = account.Created{Name: "ACME"}
	issued = account.TokenIssued{Token: two, Hash: digest, Label: "laptop", Scopes: []account.Scope{account.ScopeAccount}}
	issue  = IssueToken{AccountID: one, Token: two, Hash: digest, Label: "laptop", Scopes: issued.Scopes}
)

func TestCreateAccount(t *testing.T) {
	create := CreateAccount{one, "ACME"}
	rows := []accountRow{
		{name: "opens an account", when: create, then: accountPast{acme}},
		{name: "asked twice", given: accountPast{acme}, when: create},
		{name: "another name", given: accountPast{acme}, when: CreateAccount{one, "Other"}, refused: "already_exists"},
		{name: "no name", when: CreateAccount{one, " "}, refused: "text_missing"},
		{name: "long name", when: CreateAccount{one, long}, refused: "text_too_long"},
	}
	for what, name := range badLines {
		rows = append(rows, accountRow{name: what, when: CreateAccount{one, name}, refused: "bad_text"})
	}
	check(t, rows)
}

func TestIssueToken(t *testing.T) {
	with := func(change func(*IssueToken)) IssueToken { c := issue; change(&c); return c }
	check(t, []accountRow{
		{name: "issues a token", given: accountPast{acme}, when: issue, then: accountPast{issued}},
		{name: "asked twice", given: accountPast{acme, issued}, when: issue},
		{name: "no account", when: issue, refused: "not_found"},
		{name: "another label", given: accountPast{acme, issued}, when: with(func(c *IssueToken) { c.Label = "phone" }), refused: "already_exists"},
		{name: "another hash", given: accountPast{acme, issued}, when: with(func(c *IssueToken) { c.Hash = otherDigest }), refused: "already_exists"},
		{name: "a revoked one does not come back", given: accountPast{acme, issued, account.TokenRevoked{Token: two}}, when: issue, refused: "token_revoked"},
		{name: "no hash", given: accountPast{acme}, when: with(func(c *IssueToken) { c.Hash = "" }), refused: "bad_digest"},
		{name: "the token itself", given: accountPast{acme}, when: with(func(c *IssueToken) { c.Hash = "cs_" + digest[3:] }), refused: "bad_digest"},
		{name: "no scope", given: accountPast{acme}, when: with(func(c *IssueToken) { c.Scopes = nil }), refused: "scope_required"},
		{name: "unknown scope", given: accountPast{acme}, when: with(func(c *IssueToken) { c.Scopes = []account.Scope{"root"} }), refused: "unknown_scope"},
		{name: "bad label", given: accountPast{acme}, when: with(func(c *IssueToken) { c.Label = "a\nb" }), refused: "bad_text"},
	})
}

func TestRevokeToken(t *testing.T) {
	revoke, revoked := RevokeToken{one, two}, account.TokenRevoked{Token: two}
	other := account.TokenIssued{Token: three, Hash: otherDigest, Scopes: issued.Scopes}
	check(t, []accountRow{
		{name: "revokes", given: accountPast{acme, issued}, when: revoke, then: accountPast{revoked}},
		{name: "asked twice", given: accountPast{acme, issued, revoked}, when: revoke},
		{name: "only the one named", given: accountPast{acme, issued, other, account.TokenRevoked{Token: three}}, when: revoke, then: accountPast{revoked}},
		{name: "no such token", given: accountPast{acme, issued}, when: RevokeToken{one, three}, refused: "not_found"},
		{name: "no account", when: revoke, refused: "not_found"},
	})
}
