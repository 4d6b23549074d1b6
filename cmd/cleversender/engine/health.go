package engine

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/cleversender/cleversender/projections/requests"
)

var (
	readyDesc = prometheus.NewDesc("cleversender_ready",
		"1: this node does its whole job; 0: one of its workers has stopped, and the log says why.", nil, nil)
	freeDesc = prometheus.NewDesc("cleversender_data_free_bytes",
		"Bytes that may still be written to the disk of the data folder.", nil, nil)
	openDesc = prometheus.NewDesc("cleversender_requests_open",
		"Privacy requests that are not fulfilled; at most 100 are counted.", nil, nil)
	overdueDesc = prometheus.NewDesc("cleversender_requests_overdue",
		"Those of them whose time limit (GDPR Art. 12(3)) has passed.", nil, nil)
)

// countedRequests is how many open requests are looked at: they come by urgency.
const countedRequests = 100

// health measures what somebody has to get up for at night. What cannot be
// found out at the moment is left out.
type health struct{ e *Engine }

// Describe implements prometheus.Collector.
func (h health) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{readyDesc, freeDesc, openDesc, overdueDesc} {
		ch <- d
	}
}

// Collect implements prometheus.Collector.
func (h health) Collect(ch chan<- prometheus.Metric) {
	gauge := func(d *prometheus.Desc, v float64) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v)
	}
	ready := 1.0
	if h.e.Ready() != nil {
		ready = 0
	}
	gauge(readyDesc, ready)
	if free, err := h.e.Folder.Free(); err == nil {
		gauge(freeDesc, float64(free))
	}
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	waiting, err := requests.Open(ctx, h.e.Models.Reader(requests.Projection.Name), countedRequests)
	if err != nil {
		return
	}
	now, overdue := time.Now(), 0
	for _, q := range waiting {
		if q.Due.Before(now) {
			overdue++
		}
	}
	gauge(openDesc, float64(len(waiting)))
	gauge(overdueDesc, float64(overdue))
}
