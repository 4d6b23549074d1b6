// Package event is the wire contract: where a Go type meets its stored name.
package event

import (
	"time"

	"github.com/cleversender/cleversender/domain"
)

// Position is a place in the whole log: opaque, ordered, durable. Zero is
// before the first event. Positions do not survive a move to another log.
type Position uint64

// Meta says whose event it is and how it came about. It holds ids only, never
// a personal value.
type Meta struct {
	Account     domain.ID // who is responsible for the data (the controller)
	Subject     domain.ID // the person it is about; zero when about nobody
	Actor       domain.ID // the token, user or person that asked; zero for the engine itself
	Correlation domain.ID // what the work as a whole is known by
	Causation   domain.ID // the event or command that led to this one
}

// Draft is an event that is about to be stored.
type Draft struct {
	ID   domain.ID
	Meta Meta
	Data any // a type of the catalog
	// Sealed is what is to be stored, made beforehand for one stream; nil: nothing was.
	Sealed *Stored
}

// Stored is an event as bytes, as a log keeps it.
type Stored struct {
	Stream   string
	Revision uint64   // 1 for the first event of its stream
	Position Position // set by the log
	ID       domain.ID
	Type     string
	Version  int       // counts the shapes Data has had, from 1
	At       time.Time // when it was recorded, UTC, microseconds
	Meta     Meta
	Data     []byte // JSON, personal values sealed
}

// Shared is data about several people, named in it instead of in the envelope:
// Only leaves what is about one of them, so that they see nobody else.
type Shared interface {
	Only(person domain.ID) any
}

// Recorded is an event as the log gives it back, decoded.
type Recorded struct {
	Stream   string
	Revision uint64
	Position Position
	ID       domain.ID
	Type     string
	At       time.Time
	Meta     Meta
	Data     any // a type of the catalog, by value
}
