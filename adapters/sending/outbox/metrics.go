package outbox

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/cleversender/cleversender/domain/message"
)

type metrics struct {
	results *prometheus.CounterVec
	seconds prometheus.Histogram
	faults  prometheus.Counter
}

func newMetrics() metrics {
	return metrics{
		results: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "cleversender_messages_total", Help: "What became of messages outside campaigns.",
		}, []string{"result"}),
		seconds: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name:    "cleversender_message_seconds",
			Help:    "How long one transmission of a message outside campaigns took.",
			Buckets: prometheus.ExponentialBuckets(0.0005, 4, 9),
		}),
		faults: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "cleversender_outbox_faults_total", Help: "Steps that failed and were tried again.",
		}),
	}
}

func (m metrics) count(s message.Status) { m.results.WithLabelValues(string(s)).Inc() }

func (m metrics) list() []prometheus.Collector {
	return []prometheus.Collector{m.results, m.seconds, m.faults}
}

// Describe implements prometheus.Collector.
func (w *Outbox) Describe(ch chan<- *prometheus.Desc) {
	for _, c := range w.metrics.list() {
		c.Describe(ch)
	}
}

// Collect implements prometheus.Collector.
func (w *Outbox) Collect(ch chan<- prometheus.Metric) {
	for _, c := range w.metrics.list() {
		c.Collect(ch)
	}
}
