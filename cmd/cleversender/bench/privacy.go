package bench

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/cleversender/cleversender/adapters/eventlog"
	"github.com/cleversender/cleversender/cmd/cleversender/engine"
	"github.com/cleversender/cleversender/commands"
	"github.com/cleversender/cleversender/domain"
	"github.com/cleversender/cleversender/domain/privacyrequest"
)

// asked is how many people ask, spread over the whole list.
const asked = 50

// benchExport opens access requests of 50 people of Size and fulfils each: from
// the request to the bundle's digest in the log. The unit is a person.
func benchExport(ctx context.Context, b *bench) ([]Report, error) {
	return b.requests(ctx, "export", privacyrequest.Access)
}

// benchErase opens erasure requests of 50 people of Size and fulfils each: from
// the request to destroyed keys and purged files. The unit is a person.
func benchErase(ctx context.Context, b *bench) ([]Report, error) {
	return b.requests(ctx, "erase", privacyrequest.Erasure)
}

func (b *bench) requests(ctx context.Context, name string, kind privacyrequest.Kind) ([]Report, error) {
	d, err := b.campaign(ctx)
	if err != nil {
		return nil, err
	}
	events, err := eventlog.Count(ctx, b.engine.Log, 0, nil)
	if err != nil {
		return nil, err
	}
	n := min(asked, len(d.people))
	took := make([]time.Duration, n)
	m, err := b.meter()
	if err != nil {
		return nil, err
	}
	for i := range n {
		start := time.Now()
		if err := b.ask(ctx, kind, d.people[i*len(d.people)/n]); err != nil {
			return nil, err
		}
		took[i] = time.Since(start)
	}
	r := m.report(name, n)
	slices.Sort(took)
	r.Extra = map[string]any{
		"people": len(d.people), "events": events, "median_ms": ms(took[n/2]), "p95_ms": ms(took[n*95/100]), "max_ms": ms(took[n-1]),
	}
	return []Report{r}, nil
}

// ask opens a request and waits until the running desk has fulfilled it.
func (b *bench) ask(ctx context.Context, kind privacyrequest.Kind, person domain.ID) error {
	id := engine.NewID()
	req := commands.Request{ID: engine.NewID(), Account: b.account}
	if _, err := commands.Handle(ctx, b.engine.Journal, req, commands.OpenRequest{
		Request: id, Person: person, Kind: kind, Now: time.Now(),
	}); err != nil {
		return err
	}
	for {
		past, err := b.engine.Journal.Load(ctx, privacyrequest.Stream(id))
		if err != nil || len(past) > 1 { // received, and fulfilled
			return err
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("wait for the desk: %w", ctx.Err())
		case <-time.After(time.Millisecond):
		}
	}
}

func ms(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
