package commands

import "github.com/cleversender/cleversender/domain/signing"

// RetireDKIMKey lets a key sign no more, for good.
type RetireDKIMKey struct {
	Domain   signing.ID
	Selector string
}

// Stream implements Command.
func (c RetireDKIMKey) Stream() string { return signing.Stream(c.Domain) }

// Decide implements Command.
func (c RetireDKIMKey) Decide(is signing.Domain) ([]signing.Event, error) {
	k, found := is.Key(c.Selector)
	switch {
	case !found:
		return nil, ErrNotFound
	case k.State == signing.Retired:
		return nil, nil
	}
	return []signing.Event{signing.KeyRetired{Selector: c.Selector}}, nil
}
