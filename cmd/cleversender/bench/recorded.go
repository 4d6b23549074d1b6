package bench

import (
	"context"

	"github.com/cleversender/cleversender/domain"
	"github.com/cleversender/cleversender/domain/delivery"
	"github.com/cleversender/cleversender/domain/event"
)

// recorded counts the people whose message the log says was taken, as allowed
// by a consent event that an intent before it names.
func (b *bench) recorded(ctx context.Context, after, head event.Position) (int, error) {
	allowed, n := map[domain.ID]bool{}, 0
	for page, err := range b.engine.Journal.Follow(ctx, after, []string{"sends.intended", "sends.accepted"}, 500) {
		if err != nil {
			return 0, err
		}
		for _, e := range page.Events {
			switch data := e.Data.(type) {
			case delivery.Intended:
				for i, person := range data.Subjects {
					allowed[person] = data.Consents[i] > 0 && data.Consents[i] < e.Position
				}
			case delivery.Accepted:
				for _, person := range data.Subjects {
					if allowed[person] {
						n++
					}
					delete(allowed, person)
				}
			}
		}
		if page.Next >= head {
			return n, nil
		}
	}
	return n, ctx.Err()
}
