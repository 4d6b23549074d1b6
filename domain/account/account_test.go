package account_test

import (
	"testing"

	. "github.com/cleversender/cleversender/domain/account"
)

func fold(a Account, events ...Event) Account {
	for _, e := range events {
		a = a.Evolve(e)
	}
	return a
}

// One past may have many futures; none changes another, and a token that was
// revoked in one is good in the other.
func TestStatesAreValues(t *testing.T) {
	past := fold(Account{}, Created{Name: "ACME"}, TokenIssued{Token: ID{1}}, TokenIssued{Token: ID{2}}, TokenIssued{Token: ID{3}})
	a := fold(past, TokenIssued{Token: ID{4}})
	b := fold(past, TokenIssued{Token: ID{5}}, TokenRevoked{Token: ID{1}})
	for _, c := range []struct {
		name        string
		state       Account
		token       ID
		ok, revoked bool
	}{
		{"its own", a, ID{4}, true, false},
		{"the other's", a, ID{5}, false, false},
		{"revoked there", a, ID{1}, true, false},
		{"revoked here", b, ID{1}, true, true},
		{"in the past", past, ID{1}, true, false},
	} {
		if token, ok := c.state.Token(c.token); ok != c.ok || token.Revoked != c.revoked {
			t.Errorf("%s: %+v, %v", c.name, token, ok)
		}
	}
}
