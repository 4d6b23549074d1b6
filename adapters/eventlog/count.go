package eventlog

import (
	"context"

	"github.com/cleversender/cleversender/domain/event"
)

// Count is how many events of these types, nil for all, the log holds after a
// position, as far as its present head.
func Count(ctx context.Context, log Log, after event.Position, types []string) (n int, err error) {
	head, err := log.Head(ctx)
	if err != nil || head <= after {
		return 0, err
	}
	for page, err := range log.Follow(ctx, after, types, 5000) {
		if err != nil {
			return n, err
		}
		for _, e := range page.Events {
			if e.Position <= head {
				n++
			}
		}
		if page.Next >= head {
			return n, nil
		}
	}
	return n, ctx.Err()
}
