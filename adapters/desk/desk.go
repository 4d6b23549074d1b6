// Package desk is the worker that fulfils privacy requests.
package desk

import (
	"context"
	"errors"

	"github.com/cleversender/cleversender/domain"
	"github.com/cleversender/cleversender/domain/event"
)

// Models is the read models, as erasure needs them.
type Models interface {
	// WaitAll returns once every serving projection has passed the position.
	WaitAll(ctx context.Context, position event.Position) error
	// Purge leaves nothing of deleted rows in any byte of the models' files.
	Purge(ctx context.Context) error
}

// Subjects says which events concern a person: read model subject index.
type Subjects interface {
	// Positions lists the events that concern the person up to a position, in log order.
	Positions(ctx context.Context, subject domain.ID, upTo event.Position) ([]event.Position, error)
}

// Bundle is what an access request gets: a JSON document, the same bytes for
// the same person and position.
type Bundle struct {
	JSON   []byte
	SHA256 string // hex
	Events int
}

// Desk fulfils requests.
type Desk struct{}

// Bundle makes the bundle of a person as of a position of the log.
func (d *Desk) Bundle(ctx context.Context, account, person domain.ID, upTo event.Position) (Bundle, error) {
	return Bundle{}, errors.ErrUnsupported
}

// Run follows the log and fulfils requests as they come in, until ctx ends.
func (d *Desk) Run(ctx context.Context) error { return errors.ErrUnsupported }
