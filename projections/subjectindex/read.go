package subjectindex

import (
	"context"
	"slices"

	"github.com/cleversender/cleversender/domain"
	"github.com/cleversender/cleversender/domain/event"
	"github.com/cleversender/cleversender/projections"
)

// Positions lists the events that concern a person up to a position (0: up to
// the end), in log order.
func Positions(ctx context.Context, r projections.Reader, person domain.ID, upTo event.Position) ([]event.Position, error) {
	all, err := own(ctx, r, person)
	if err != nil {
		return nil, err
	}
	var of []projections.Row
	if err := scan(ctx, r, places, []any{person[:]}, func(row projections.Row) { of = append(of, row) }); err != nil {
		return nil, err
	}
	for _, place := range of {
		found, err := sendsTo(ctx, r, place.ID(1), place.Int(2))
		if err != nil {
			return nil, err
		}
		all = append(all, found...)
	}
	slices.Sort(all)
	if upTo != 0 {
		n, _ := slices.BinarySearch(all, upTo+1)
		all = all[:n]
	}
	return all, nil
}

// scan visits every row of a table whose key starts with prefix.
func scan(ctx context.Context, r projections.Reader, t *projections.Table, prefix []any, visit func(projections.Row)) error {
	const page = 1000
	var after []any
	for {
		rows, err := r.Scan(ctx, t, prefix, after, page)
		if err != nil {
			return err
		}
		for _, row := range rows {
			visit(row)
		}
		if len(rows) < page {
			return nil
		}
		after = rows[page-1][len(prefix):len(t.Key)]
	}
}
