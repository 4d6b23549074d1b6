package commands

import "github.com/cleversender/cleversender/domain/account"

// CreateAccount opens an account. The request's Account is the new one.
type CreateAccount struct {
	AccountID account.ID
	Name      string
}

// Stream implements Command.
func (c CreateAccount) Stream() string { return account.Stream(c.AccountID) }

// Decide implements Command.
func (c CreateAccount) Decide(is account.Account) ([]account.Event, error) {
	switch {
	case is.Exists && is.Name == c.Name:
		return nil, nil
	case is.Exists:
		return nil, ErrExists
	}
	if err := someLine("name", c.Name, maxName); err != nil {
		return nil, err
	}
	return []account.Event{account.Created{Name: c.Name}}, nil
}
