package sending

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/cleversender/cleversender/domain/delivery"
)

type metrics struct {
	sends    *prometheus.CounterVec
	seconds  prometheus.Histogram
	inFlight prometheus.Gauge
	segments prometheus.Gauge
	faults   prometheus.Counter
}

func newMetrics() metrics {
	return metrics{
		sends: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "cleversender_sends_total",
			Help: "What became of messages. Recalled: intended, and did not leave.",
		}, []string{"result"}),
		seconds: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name:    "cleversender_send_seconds",
			Help:    "How long one transmission took.",
			Buckets: prometheus.ExponentialBuckets(0.0005, 4, 9),
		}),
		inFlight: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "cleversender_sends_in_flight", Help: "Transmissions under way.",
		}),
		segments: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "cleversender_segments_in_work", Help: "Segments that this worker holds.",
		}),
		faults: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "cleversender_sender_faults_total", Help: "Steps that failed and were tried again.",
		}),
	}
}

var sendResults = map[delivery.Outcome]string{
	delivery.Unclear: "unknown", delivery.Taken: "accepted", delivery.NotNow: "deferred",
	delivery.Never: "failed", delivery.NotSent: "recalled", delivery.NotMade: "not_rendered",
	delivery.NotReached: "unreachable",
}

// withheld counts people whom nothing was sent to.
func (m metrics) withheld(n int) { m.sends.WithLabelValues("withheld").Add(float64(n)) }

func (m metrics) list() []prometheus.Collector {
	return []prometheus.Collector{m.sends, m.seconds, m.inFlight, m.segments, m.faults}
}

// Describe implements prometheus.Collector.
func (s *Sender) Describe(ch chan<- *prometheus.Desc) {
	for _, c := range s.metrics.list() {
		c.Describe(ch)
	}
}

// Collect implements prometheus.Collector.
func (s *Sender) Collect(ch chan<- prometheus.Metric) {
	for _, c := range s.metrics.list() {
		c.Collect(ch)
	}
}
