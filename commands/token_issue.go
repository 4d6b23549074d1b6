package commands

import (
	"slices"

	"github.com/cleversender/cleversender/domain"
	"github.com/cleversender/cleversender/domain/account"
)

var (
	ErrScope        = domain.Refuse("unknown_scope", "there is no such scope")
	ErrNoScope      = domain.Refuse("scope_required", "say what the token may do")
	ErrTokenRevoked = domain.Refuse("token_revoked", "the token has been revoked; issue another")
)

// IssueToken lets whoever presents the token act for the account.
type IssueToken struct {
	AccountID account.ID
	Token     account.ID
	Hash      string // SHA-256 of the token, hex
	Label     string
	Scopes    []account.Scope
}

// Stream implements Command.
func (c IssueToken) Stream() string { return account.Stream(c.AccountID) }

// Decide implements Command.
func (c IssueToken) Decide(is account.Account) ([]account.Event, error) {
	if !is.Exists {
		return nil, ErrNotFound
	}
	if t, ok := is.Token(c.Token); ok {
		switch {
		case t.Hash != c.Hash || t.Label != c.Label || !slices.Equal(t.Scopes, c.Scopes):
			return nil, ErrExists
		case t.Revoked:
			return nil, ErrTokenRevoked
		}
		return nil, nil
	}
	if err := c.check(); err != nil {
		return nil, err
	}
	return []account.Event{account.TokenIssued{Token: c.Token, Hash: c.Hash, Label: c.Label, Scopes: c.Scopes}}, nil
}

func (c IssueToken) check() error {
	if err := hexDigest(c.Hash); err != nil {
		return err
	}
	if len(c.Scopes) == 0 {
		return ErrNoScope
	}
	for _, s := range c.Scopes {
		if !slices.Contains(account.Scopes, s) {
			return ErrScope
		}
	}
	return oneLine("label", c.Label, maxName)
}
