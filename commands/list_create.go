package commands

import "github.com/cleversender/cleversender/domain/list"

// CreateList makes a list that people can be added to.
type CreateList struct {
	List        list.ID
	Name        string
	DoubleOptIn bool // consent counts once confirmed
}

// Stream implements Command.
func (c CreateList) Stream() string { return list.Stream(c.List) }

// Decide implements Command.
func (c CreateList) Decide(is list.List) ([]list.Event, error) {
	switch {
	case is.Exists && is.Name == c.Name && is.DoubleOptIn == c.DoubleOptIn:
		return nil, nil
	case is.Exists:
		return nil, ErrExists
	}
	if err := someLine("name", c.Name, maxName); err != nil {
		return nil, err
	}
	return []list.Event{list.Created{Name: c.Name, DoubleOptIn: c.DoubleOptIn}}, nil
}
