package bench

import (
	"context"

	"github.com/cleversender/cleversender/adapters/eventlog"
	"github.com/cleversender/cleversender/projections/campaignreport"
)

// benchRebuild folds the log of a campaign to Size people anew, beside the
// serving models: the campaign report, whose unit is an event that it folds,
// and then all projections, whose unit is an event of the log.
func benchRebuild(ctx context.Context, b *bench) ([]Report, error) {
	if _, err := b.campaign(ctx); err != nil {
		return nil, err
	}
	limit, err := b.limit(ctx)
	if err != nil {
		return nil, err
	}
	folded, err := eventlog.Count(ctx, b.engine.Log, 0, campaignreport.Projection.Types)
	if err != nil {
		return nil, err
	}
	inLog, err := eventlog.Count(ctx, b.engine.Log, 0, nil)
	if err != nil {
		return nil, err
	}
	m, err := b.meter()
	if err != nil {
		return nil, err
	}
	if err := b.engine.Models.Rebuild(ctx, campaignreport.Projection.Name, nil); err != nil {
		return nil, err
	}
	report := m.report("rebuild campaign_report", folded)
	if m, err = b.meter(); err != nil {
		return nil, err
	}
	if err := b.engine.Models.RebuildAll(ctx, nil); err != nil {
		return nil, err
	}
	all := m.report("rebuild all", inLog)
	report.Against(limit.scannedPerSec)
	all.Against(limit.scannedPerSec)
	report.Extra = map[string]any{"events_in_log": inLog}
	return []Report{report, all}, nil
}
