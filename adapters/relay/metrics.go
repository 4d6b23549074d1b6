package relay

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/cleversender/cleversender/domain/delivery"
)

var (
	results = map[delivery.Outcome]string{
		delivery.Taken: "accepted", delivery.NotNow: "deferred", delivery.Never: "failed",
		delivery.Unclear: "unknown", delivery.NotSent: "not_reached",
	}

	messagesDesc = prometheus.NewDesc("cleversender_server_messages_total",
		"What mail servers said to messages. Not reached: nothing, and the next server was asked.", []string{"server", "result"}, nil)
	flyingDesc = prometheus.NewDesc("cleversender_server_messages_in_flight",
		"Messages that a mail server has been given, or will be when its rate allows.", []string{"server"}, nil)
	connectedDesc = prometheus.NewDesc("cleversender_server_connections",
		"Open connections to a mail server.", []string{"server"}, nil)
	restingDesc = prometheus.NewDesc("cleversender_server_resting",
		"1: the mail server could not be reached, and is not asked for a while.", []string{"server"}, nil)
	heldDesc = prometheus.NewDesc("cleversender_server_held_total",
		"How often a mail server's rate let a message wait.", []string{"server"}, nil)
)

// Describe implements prometheus.Collector.
func (r *Relay) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{messagesDesc, flyingDesc, connectedDesc, restingDesc, heldDesc} {
		ch <- d
	}
}

// Collect implements prometheus.Collector.
func (r *Relay) Collect(ch chan<- prometheus.Metric) {
	for _, m := range r.measure() {
		ch <- m
	}
}

func (r *Relay) measure() (all []prometheus.Metric) {
	r.mu.Lock()
	defer r.mu.Unlock()
	put := func(d *prometheus.Desc, kind prometheus.ValueType, n float64, labels ...string) {
		all = append(all, prometheus.MustNewConstMetric(d, kind, n, labels...))
	}
	for _, s := range r.servers {
		for outcome, result := range results {
			put(messagesDesc, prometheus.CounterValue, float64(s.answers[outcome]), s.Name, result)
		}
		put(flyingDesc, prometheus.GaugeValue, float64(s.flying), s.Name)
		put(heldDesc, prometheus.CounterValue, float64(s.held), s.Name)
		resting := 0.0
		if s.silent >= silences {
			resting = 1
		}
		put(restingDesc, prometheus.GaugeValue, resting, s.Name)
		if s.Connected != nil {
			put(connectedDesc, prometheus.GaugeValue, float64(s.Connected()), s.Name)
		}
	}
	return all
}
