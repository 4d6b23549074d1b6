package commands

import "github.com/cleversender/cleversender/domain/account"

// RevokeToken makes a token worth nothing.
type RevokeToken struct {
	AccountID account.ID
	Token     account.ID
}

// Stream implements Command.
func (c RevokeToken) Stream() string { return account.Stream(c.AccountID) }

// Decide implements Command.
func (c RevokeToken) Decide(is account.Account) ([]account.Event, error) {
	t, ok := is.Token(c.Token)
	switch {
	case !ok:
		return nil, ErrNotFound
	case t.Revoked:
		return nil, nil
	}
	return []account.Event{account.TokenRevoked{Token: c.Token}}, nil
}
