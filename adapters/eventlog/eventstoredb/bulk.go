package eventstoredb

import (
	"context"
	"sync"

	"github.com/cleversender/cleversender/adapters/eventlog"
)

// inFlight is how many appends of a bulk wait for their answers at once.
const inFlight = 256

// AppendBulk implements eventlog.Log. Appends to one stream follow each other;
// those to different streams are sent without waiting.
func (l *Log) AppendBulk(ctx context.Context, as []eventlog.Append) ([]eventlog.Result, []error) {
	results, errs := make([]eventlog.Result, len(as)), make([]error, len(as))
	if err := l.admit(ctx); err != nil {
		for i := range errs {
			errs[i] = err
		}
		return results, errs
	}
	defer l.appends.Done()
	write := l.pipe.write
	if len(as) == 1 {
		write = l.write
	}
	var wg sync.WaitGroup
	room := make(chan struct{}, inFlight)
	for _, chain := range chains(as) {
		room <- struct{}{}
		wg.Go(func() {
			defer func() { <-room }()
			for _, i := range chain {
				results[i], errs[i] = l.append(ctx, as[i], write)
			}
		})
	}
	wg.Wait()
	return results, errs
}

// chains is the indexes of appends to the same stream, in order.
func chains(as []eventlog.Append) (all [][]int) {
	byStream := make(map[string]int, len(as))
	for i := range as {
		n, known := byStream[as[i].Stream]
		if !known {
			n = len(all)
			byStream[as[i].Stream] = n
			all = append(all, nil)
		}
		all[n] = append(all[n], i)
	}
	return all
}
