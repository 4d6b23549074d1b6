package commands

import "github.com/cleversender/cleversender/domain/signing"

// ActivateDKIMKey lets a key sign: from the next campaign on that starts or resumes.
type ActivateDKIMKey struct {
	Domain   signing.ID
	Selector string
}

// Stream implements Command.
func (c ActivateDKIMKey) Stream() string { return signing.Stream(c.Domain) }

// Decide implements Command.
func (c ActivateDKIMKey) Decide(is signing.Domain) ([]signing.Event, error) {
	k, found := is.Key(c.Selector)
	switch {
	case !found:
		return nil, ErrNotFound
	case k.State == signing.Active:
		return nil, nil
	case k.State == signing.Retired:
		return nil, ErrDKIMRetired
	case is.In(signing.Active) >= maxDKIMActive:
		return nil, ErrDKIMTooMany
	}
	return []signing.Event{signing.KeyActivated{Selector: c.Selector}}, nil
}
