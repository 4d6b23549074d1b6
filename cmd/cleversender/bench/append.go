package bench

import (
	"context"

	"github.com/cleversender/cleversender/adapters/eventlog"
	"github.com/cleversender/cleversender/cmd/cleversender/engine"
	"github.com/cleversender/cleversender/domain/delivery"
)

const appendBatch = 500

// benchAppend writes batches of 500 withheld sends, encoded and all, one append
// after the other, each durable before the next.
func benchAppend(ctx context.Context, b *bench) ([]Report, error) {
	d := &dataset{engine: b.engine, account: b.account}
	campaign, person := engine.NewID(), engine.NewID()
	stream := delivery.Stream(campaign, 0)
	m, err := b.meter()
	if err != nil {
		return nil, err
	}
	for done := 0; done < b.Size; done += appendBatch {
		events := make([]any, min(appendBatch, b.Size-done))
		for i := range events {
			events[i] = delivery.Withheld{Person: person, Campaign: campaign, Ordinal: done + i, Reason: delivery.Revoked}
		}
		w := eventlog.Write{Stream: stream, Expect: uint64(done), Events: d.drafts(events)}
		if err := d.bulk(ctx, []eventlog.Write{w}); err != nil {
			return nil, err
		}
	}
	r := m.report("append", b.Size)
	r.Extra = map[string]any{"batch": appendBatch}
	limit, err := b.limit(ctx)
	if err != nil {
		return nil, err
	}
	r.Against(limit.insertedPerSec)
	return []Report{r}, nil
}
