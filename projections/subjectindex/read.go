package subjectindex

import (
	"context"
	"encoding/binary"

	"github.com/cleversender/cleversender/domain"
	"github.com/cleversender/cleversender/domain/event"
	"github.com/cleversender/cleversender/projections"
)

// Positions lists the events that concern a person up to a position (0: up to
// the end), in log order.
func Positions(ctx context.Context, r projections.Reader, person domain.ID, upTo event.Position) ([]event.Position, error) {
	const page = 1000
	var out []event.Position
	var after []any
	for {
		rows, err := r.Scan(ctx, runs, []any{person[:]}, after, page)
		if err != nil {
			return nil, err
		}
		for _, row := range rows {
			after = row[1:2]
			first := row.Position(1) * stretch
			for b := row.Bytes(2); len(b) >= 2; b = b[2:] {
				at := first + event.Position(binary.BigEndian.Uint16(b))
				if upTo != 0 && at > upTo {
					return out, nil
				}
				out = append(out, at)
			}
		}
		if len(rows) < page {
			return out, nil
		}
	}
}
