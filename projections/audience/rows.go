package audience

import (
	"bytes"
	"context"
	"slices"

	"github.com/cleversender/cleversender/domain"
	"github.com/cleversender/cleversender/projections"
)

// rowsOf returns the rows of these people in the order asked, nil for whoever
// is not held. People in id order who lie close together, as the recipients of
// a campaign mostly do, are read by scanning: a fraction of the cost of looking each up.
func rowsOf(ctx context.Context, r projections.Reader, account domain.ID, persons []domain.ID) ([]projections.Row, error) {
	out := make([]projections.Row, len(persons))
	i := 0
	for dense := slices.IsSortedFunc(persons, compare); dense && len(persons)-i >= 8; {
		limit := len(persons) - i
		rows, err := r.Scan(ctx, people, []any{account[:]}, past(before(persons[i])), limit)
		if err != nil {
			return nil, err
		}
		hits := 0
		for _, row := range rows {
			id := row.ID(1)
			for i < len(persons) && compare(persons[i], id) < 0 {
				i++ // not held
			}
			for i < len(persons) && persons[i] == id {
				out[i] = row
				i++
				hits++
			}
		}
		if len(rows) < limit {
			return out, nil
		}
		dense = 4*hits >= limit
	}
	keys := make([][]any, 0, len(persons)-i)
	for _, p := range persons[i:] {
		keys = append(keys, []any{account[:], p[:]})
	}
	rest, err := r.GetMany(ctx, people, keys)
	copy(out[i:], rest)
	return out, err
}

func compare(a, b domain.ID) int { return bytes.Compare(a[:], b[:]) }

// before is the id right before.
func before(id domain.ID) domain.ID {
	for i := len(id) - 1; i >= 0; i-- {
		id[i]--
		if id[i] != 0xff {
			break
		}
	}
	return id
}
