package commands

import "github.com/cleversender/cleversender/domain/list"

// ArchiveList ends a list: nothing can be sent to it any more.
type ArchiveList struct{ List list.ID }

// Stream implements Command.
func (c ArchiveList) Stream() string { return list.Stream(c.List) }

// Decide implements Command.
func (c ArchiveList) Decide(is list.List) ([]list.Event, error) {
	switch {
	case !is.Exists:
		return nil, ErrNotFound
	case is.Archived:
		return nil, nil
	}
	return []list.Event{list.Archived{}}, nil
}
