package subjectindex

import (
	"context"

	"github.com/cleversender/cleversender/domain"
	"github.com/cleversender/cleversender/domain/event"
	"github.com/cleversender/cleversender/projections"
)

// Positions lists the events that concern a person up to a position (0: up to
// the end), in log order.
func Positions(ctx context.Context, r projections.Reader, person domain.ID, upTo event.Position) ([]event.Position, error) {
	return nil, nil
}
