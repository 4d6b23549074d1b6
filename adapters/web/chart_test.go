package web

import (
	"testing"
	"time"

	"github.com/cleversender/cleversender/projections/campaignreport"
)

// However long a campaign lasts, no bar leaves the drawing, none is too many,
// and nothing is lost.
func TestCharts(t *testing.T) {
	for _, span := range []time.Duration{0, time.Hour, 100 * time.Hour, 3000 * time.Hour, 10 * 365 * 24 * time.Hour, 200 * 365 * 24 * time.Hour} {
		from := time.Date(2026, 3, 1, 11, 0, 0, 0, time.UTC)
		hours := []campaignreport.Hour{{Start: from, Sent: 1000, Opens: 1}, {Start: from.Add(span), Sent: 1, Opens: 2}}
		for _, c := range charts(hours) {
			if want := map[string]int{"sent": 1001, "opens": 3, "clicks": 0}[c.Kind]; c.Total != want {
				t.Errorf("%s: %s has %d, want %d", span, c.Kind, c.Total, want)
			}
			if len(c.Ticks) > 13 {
				t.Errorf("%s: %d ticks", span, len(c.Ticks))
			}
			for _, b := range c.Bars {
				if b.X < chartLeft || b.X+b.W > chartWidth || b.Y < chartTop-0.1 || b.Y+b.H > chartBottom+0.1 {
					t.Errorf("%s: bar %+v", span, b)
				}
			}
		}
	}
	if charts(nil) != nil {
		t.Error("a chart of nothing")
	}
}
