// Package list is a mailing list: what people subscribe to.
package list

import "github.com/cleversender/cleversender/domain"

// ID names a list.
type ID = domain.ID

// Stream is where the list's events live.
func Stream(id ID) string { return "list-" + id.String() }

// List is what decisions about a list need to know.
type List struct {
	Exists      bool
	Name        string
	DoubleOptIn bool // consent counts once confirmed
	Archived    bool
}

// Evolve replays one event.
func (l List) Evolve(e Event) List {
	switch e := e.(type) {
	case Created:
		l.Exists, l.Name, l.DoubleOptIn = true, e.Name, e.DoubleOptIn
	case Archived:
		l.Archived = true
	}
	return l
}
