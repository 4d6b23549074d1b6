package bench

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/cleversender/cleversender/adapters/csvimport"
	"github.com/cleversender/cleversender/adapters/csvimport/generate"
	"github.com/cleversender/cleversender/adapters/eventlog"
	"github.com/cleversender/cleversender/cmd/cleversender/engine"
	"github.com/cleversender/cleversender/domain/consent"
)

// writeContacts makes the file before anything is measured.
func (b *bench) writeContacts() (path string, err error) {
	path = b.Dir + "/contacts.csv"
	f, err := os.Create(path)
	if err != nil {
		return "", err
	}
	if err := generate.Write(f, generate.Options{Seed: 1, Rows: b.Size}); err != nil {
		_ = f.Close()
		return "", err
	}
	return path, f.Close()
}

// importContacts brings the file into the log, as the API does.
func (b *bench) importContacts(ctx context.Context, path string) (csvimport.Result, error) {
	f, err := os.Open(path)
	if err != nil {
		return csvimport.Result{}, err
	}
	defer f.Close()
	return b.engine.Importer.Import(ctx, csvimport.Options{
		Import: engine.NewID(), Account: b.account, List: b.list, Source: "bench",
		Purposes: []consent.Purpose{consent.Mailing, consent.OpenTracking, consent.ClickTracking},
	}, f)
}

// benchImport brings a CSV of Size rows in, with every projection following.
// The unit is a row; the first report ends when all rows are durable in the
// log, the second when every projection has caught up.
func benchImport(ctx context.Context, b *bench) ([]Report, error) {
	path, err := b.writeContacts()
	if err != nil {
		return nil, err
	}
	m, err := b.meter()
	if err != nil {
		return nil, err
	}
	before, err := b.engine.Journal.Head(ctx)
	if err != nil {
		return nil, err
	}
	result, err := b.importContacts(ctx, path)
	if err != nil {
		return nil, err
	}
	if result.Counts.Added != b.Size {
		return nil, fmt.Errorf("%d of %d rows added", result.Counts.Added, b.Size)
	}
	durable := m.report("import", b.Size)
	if err := b.engine.Settled(ctx); err != nil {
		return nil, err
	}
	projected := m.report("import+projections", b.Size)
	events, err := eventlog.Count(ctx, b.engine.Log, before, nil)
	if err != nil {
		return nil, err
	}
	perRow := float64(events) / float64(b.Size)
	limit, err := b.limit(ctx)
	if err != nil {
		return nil, err
	}
	for _, r := range []*Report{&durable, &projected} {
		r.Against(limit.insertedPerSec / perRow)
		r.Extra = map[string]any{"events": events, "file_mb": round(float64(result.Bytes) / 1e6)}
	}
	return []Report{durable, projected}, nil
}

// people imports Size people and waits for the projections.
func (b *bench) people(ctx context.Context) (*dataset, error) {
	start := time.Now()
	path, err := b.writeContacts()
	if err != nil {
		return nil, err
	}
	if _, err := b.importContacts(ctx, path); err != nil {
		return nil, err
	}
	d := &dataset{engine: b.engine, account: b.account, list: b.list}
	if err := d.members(ctx); err != nil {
		return nil, err
	}
	b.say("%d people imported in %s", len(d.people), time.Since(start).Round(time.Second))
	return d, nil
}

// campaign sends a campaign to them all, and has them open and click.
func (b *bench) campaign(ctx context.Context) (*dataset, error) {
	d, err := b.people(ctx)
	if err != nil {
		return nil, err
	}
	start := time.Now()
	if err := d.send(ctx); err != nil {
		return nil, err
	}
	if err := d.engage(ctx); err != nil {
		return nil, err
	}
	b.say("one campaign written in %s", time.Since(start).Round(time.Second))
	return d, b.engine.Settled(ctx)
}
