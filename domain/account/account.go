// Package account is who uses the installation: the controller of its
// recipients' data, and the tokens that act for it.
package account

import (
	"slices"

	"github.com/cleversender/cleversender/domain"
)

// ID names an account or a token.
type ID = domain.ID

// Stream is where the account's events live.
func Stream(id ID) string { return "account-" + id.String() }

// A Scope is what a token may do. Names are stored.
type Scope string

const (
	ScopeAccount  Scope = "account"  // everything inside its own account
	ScopeOperator Scope = "operator" // create accounts, rebuild projections, read the log
)

// Scopes lists every scope.
var Scopes = []Scope{ScopeAccount, ScopeOperator}

// Account is what decisions about an account need to know.
type Account struct {
	Exists bool
	Name   string
	Tokens []Token // in the order they were issued
}

// Token is one credential, by its hash.
type Token struct {
	TokenIssued
	Revoked bool
}

// Evolve replays one event.
func (a Account) Evolve(e Event) Account {
	switch e := e.(type) {
	case Created:
		a.Exists, a.Name = true, e.Name
	case TokenIssued:
		a.Tokens = append(slices.Clip(a.Tokens), Token{TokenIssued: e})
	case TokenRevoked:
		a.Tokens = slices.Clone(a.Tokens)
		for i := range a.Tokens {
			a.Tokens[i].Revoked = a.Tokens[i].Revoked || a.Tokens[i].Token == e.Token
		}
	}
	return a
}

// Token finds a token by its id.
func (a Account) Token(id ID) (t Token, ok bool) {
	for _, t := range a.Tokens {
		if t.Token == id {
			return t, true
		}
	}
	return Token{}, false
}
