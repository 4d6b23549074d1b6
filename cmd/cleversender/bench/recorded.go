package bench

import (
	"context"
	"time"

	"github.com/cleversender/cleversender/domain"
	"github.com/cleversender/cleversender/domain/delivery"
	"github.com/cleversender/cleversender/domain/event"
)

// record is what the log says of a campaign: whose message was taken, as
// allowed by a consent event that an intent before it names, and from the first
// intent to the last yes.
type record struct {
	withConsent int
	wire        time.Duration
}

func (b *bench) recorded(ctx context.Context, after, head event.Position) (r record, err error) {
	var first time.Time
	allowed := map[domain.ID]bool{}
	for page, err := range b.engine.Journal.Follow(ctx, after, []string{"sends.intended", "sends.accepted"}, 500) {
		if err != nil {
			return r, err
		}
		for _, e := range page.Events {
			switch data := e.Data.(type) {
			case delivery.Intended:
				if first.IsZero() {
					first = e.At
				}
				for i, person := range data.Subjects {
					allowed[person] = data.Consents[i] > 0 && data.Consents[i] < e.Position
				}
			case delivery.Accepted:
				r.wire = e.At.Sub(first)
				for _, person := range data.Subjects {
					if allowed[person] {
						r.withConsent++
					}
					delete(allowed, person)
				}
			}
		}
		if page.Next >= head {
			return r, nil
		}
	}
	return r, ctx.Err()
}
