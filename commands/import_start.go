package commands

import (
	"slices"

	"github.com/cleversender/cleversender/domain"
	"github.com/cleversender/cleversender/domain/consent"
	"github.com/cleversender/cleversender/domain/contactimport"
)

// StartImport says that rows begin to arrive, and what the account asserts of
// everybody in the file.
type StartImport struct {
	Import   contactimport.ID
	List     domain.ID
	Purposes []consent.Purpose
	Source   string // where the account says the file is from
}

// Stream implements Command.
func (c StartImport) Stream() string { return contactimport.Stream(c.Import) }

// Decide implements Command. An import that failed can be started once more, as
// it was: it goes on from its last progress.
func (c StartImport) Decide(is contactimport.Import) ([]contactimport.Event, error) {
	same := is.As.List == c.List && is.As.Source == c.Source && slices.Equal(is.As.Purposes, c.Purposes)
	switch {
	case is.Status == contactimport.Broken && same:
		return []contactimport.Event{is.As}, nil
	case is.Status != contactimport.None && same:
		return nil, nil
	case is.Status != contactimport.None:
		return nil, ErrExists
	case c.List.IsZero():
		return nil, ErrListNeeded
	}
	for i, p := range c.Purposes {
		if !p.Known() || slices.Contains(c.Purposes[:i], p) {
			return nil, ErrPurpose
		}
	}
	if err := oneLine("source", c.Source, maxNote); err != nil {
		return nil, err
	}
	return []contactimport.Event{contactimport.Started{List: c.List, Purposes: c.Purposes, Source: c.Source}}, nil
}
