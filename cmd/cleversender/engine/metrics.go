package engine

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/cleversender/cleversender/adapters/eventlog/group"
)

// measured counts what the log writes, and how long its transactions take.
func measured(registry prometheus.Registerer) func(group.Commit) {
	appends := prometheus.NewCounter(prometheus.CounterOpts{
		Name: "cleversender_appends_total", Help: "Appends that were written to the log.",
	})
	events := prometheus.NewCounter(prometheus.CounterOpts{
		Name: "cleversender_events_appended_total", Help: "Events that were written to the log.",
	})
	conflicts := prometheus.NewCounter(prometheus.CounterOpts{
		Name: "cleversender_append_conflicts_total", Help: "Appends that another one was ahead of: nothing was written.",
	})
	seconds := prometheus.NewHistogram(prometheus.HistogramOpts{
		Name:    "cleversender_commit_seconds",
		Help:    "How long a transaction of the log took, fsync included; one holds every append that waited.",
		Buckets: prometheus.ExponentialBuckets(0.0005, 2, 12), // half a millisecond to one second
	})
	registry.MustRegister(appends, events, conflicts, seconds)
	return func(c group.Commit) {
		appends.Add(float64(c.Appends))
		events.Add(float64(c.Events))
		conflicts.Add(float64(c.Refused))
		seconds.Observe(c.Took.Seconds())
	}
}
