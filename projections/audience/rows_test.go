package audience

import (
	"context"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/cleversender/cleversender/domain"
	"github.com/cleversender/cleversender/projections"
)

// held is a reader of the people of one account.
type held struct {
	account domain.ID
	ids     []domain.ID // sorted
}

func (h held) row(id domain.ID) projections.Row { return projections.Row{h.account[:], id[:]} }

func (h held) Get(_ context.Context, _ *projections.Table, key ...any) (projections.Row, error) {
	id := domain.ID(key[1].([]byte))
	if _, found := slices.BinarySearchFunc(h.ids, id, compare); !found {
		return nil, nil
	}
	return h.row(id), nil
}

func (h held) GetMany(ctx context.Context, t *projections.Table, keys [][]any) ([]projections.Row, error) {
	rows := make([]projections.Row, len(keys))
	for i, key := range keys {
		rows[i], _ = h.Get(ctx, t, key...) // never fails
	}
	return rows, nil
}

func (h held) Scan(_ context.Context, _ *projections.Table, _, after []any, limit int) ([]projections.Row, error) {
	var rows []projections.Row
	for _, id := range h.ids {
		if (len(after) == 0 || compare(id, domain.ID(after[0].([]byte))) > 0) && len(rows) < limit {
			rows = append(rows, h.row(id))
		}
	}
	return rows, nil
}

// However many people are held, and whoever is asked about in whatever order,
// each gets their own row, or none if they are not held.
func TestRowsOfIsALookUpEach(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		name := rapid.Custom(func(t *rapid.T) domain.ID {
			n := rapid.IntRange(1, 600).Draw(t, "id")
			return domain.ID{14: byte(n >> 8), 15: byte(n)}
		})
		h := held{domain.ID{0: 1}, rapid.SliceOfNDistinct(name, 0, 300, rapid.ID[domain.ID]).Draw(t, "held")}
		slices.SortFunc(h.ids, compare)
		asked := rapid.SliceOfN(name, 0, 40).Draw(t, "asked")
		if rapid.Bool().Draw(t, "sorted") {
			slices.SortFunc(asked, compare)
		}
		rows, err := rowsOf(context.Background(), h, h.account, asked)
		if err != nil || len(rows) != len(asked) {
			t.Fatalf("%d rows of %d, %v", len(rows), len(asked), err)
		}
		for i, id := range asked {
			_, found := slices.BinarySearchFunc(h.ids, id, compare)
			if found != (rows[i] != nil) || found && rows[i].ID(1) != id {
				t.Fatalf("asked about %s: held %t, got %v", id, found, rows[i])
			}
		}
	})
}
