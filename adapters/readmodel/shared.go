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
	// Hold lets this node hold every one of these models that no living node
	// holds, or (take) every one, and says how each is that exists.
	Hold(ctx context.Context, ids []string, take bool) (map[string]Mark, error)
}

// Mark says how a shared model is.
type Mark struct {
	Mine     bool // this node holds it
	Position event.Position
	Edition  uint64 // grows whenever rows may have changed
}

// ErrHeld: another node holds the model.
var ErrHeld = errors.New("another node holds the model")
