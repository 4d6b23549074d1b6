package subjectindex

import (
	"context"

	"github.com/cleversender/cleversender/domain"
	"github.com/cleversender/cleversender/domain/event"
	"github.com/cleversender/cleversender/projections"
)

// sends are the events about many recipients of a campaign, by blocks of their
// ordinals: bit n of an event's row is set when it is about ordinal n of the block.
var sends = &projections.Table{
	Name: "sends",
	Key: []projections.Column{
		{Name: "campaign", Kind: projections.Bytes}, {Name: "block", Kind: projections.Int}, {Name: "position", Kind: projections.Int},
	},
	Values: []projections.Column{{Name: "ordinals", Kind: projections.Bytes}},
}

// block is how many ordinals one has. Changing it is a new version.
const block = 256

// sent takes in an event about these recipients.
func sent(rows projections.Rows, at event.Position, campaign domain.ID, ordinals []int) error {
	blocks := map[int64][]byte{}
	for _, n := range ordinals {
		b := int64(n / block)
		if blocks[b] == nil {
			blocks[b] = make([]byte, block/8)
		}
		blocks[b][n%block/8] |= 1 << (n % 8)
	}
	for b, bits := range blocks {
		if err := rows.Put(sends, projections.Row{campaign[:], b, int64(at), bits}); err != nil {
			return err
		}
	}
	return nil
}

// sendsTo lists the events about one recipient of a campaign.
func sendsTo(ctx context.Context, r projections.Reader, campaign domain.ID, ordinal int) ([]event.Position, error) {
	var found []event.Position
	err := scan(ctx, r, sends, []any{campaign[:], int64(ordinal / block)}, func(row projections.Row) {
		if row.Bytes(3)[ordinal%block/8]&(1<<(ordinal%8)) != 0 {
			found = append(found, row.Position(2))
		}
	})
	return found, err
}
