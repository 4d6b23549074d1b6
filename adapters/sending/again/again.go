// Package again is how a worker that sends asks once more: until it is done,
// with growing pauses.
package again

import (
	"context"
	"errors"
	"time"

	"github.com/cleversender/cleversender/domain"
	"github.com/cleversender/cleversender/domain/event"
)

// Until asks until it is done, refused, overtaken or beyond this version of the
// software (event.ErrNewer), or until ctx ends. failed hears of each attempt,
// from 1, that is made again.
func Until(ctx context.Context, ask func() error, failed func(attempt int, err error)) error {
	for n := 0; ; n++ {
		err := ask()
		var refused domain.Refusal
		if err == nil || errors.Is(err, domain.ErrConflict) || errors.Is(err, event.ErrNewer) || errors.As(err, &refused) {
			return err
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		failed(n+1, err)
		if !Sleep(ctx, Backoff(n, 50*time.Millisecond, 5*time.Second)) {
			return ctx.Err()
		}
	}
}

// Backoff doubles from first to most.
func Backoff(n int, first, most time.Duration) time.Duration {
	if n > 20 {
		return most
	}
	return min(first<<n, most)
}

// Sleep reports whether it slept to the end.
func Sleep(ctx context.Context, d time.Duration) bool {
	if ctx.Err() != nil {
		return false
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}
