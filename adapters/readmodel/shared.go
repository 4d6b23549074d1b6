package readmodel

import (
	"context"
	"errors"

	"github.com/cleversender/cleversender/domain/event"
)

// Shared is a Store that the hosts of several nodes use at once: each model is
// folded by the node that holds it, and read by all.
type Shared interface {
	Store
	// Hold says how these models are, each that exists, and whether this node
	// holds it, after the claim that it lays to them. A batch, and a Drop, by
	// a node that does not hold a model that another does fails: ErrMoved, ErrHeld.
	Hold(ctx context.Context, ids []string, claim Claim) (map[string]Mark, error)
}

// Claim is what a node does to hold models.
type Claim int

const (
	Look    Claim = iota // nothing
	Inherit              // holds those that no living node holds
	Take                 // holds all
	Leave                // holds none any more
)

// Mark says how a shared model is.
type Mark struct {
	Mine     bool // this node holds it
	Position event.Position
	Edition  uint64 // grows whenever rows may have changed
}

// ErrHeld: another node holds the model.
var ErrHeld = errors.New("another node holds the model")
