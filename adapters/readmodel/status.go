package readmodel

import (
	"context"
	"fmt"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/cleversender/cleversender/domain/event"
)

// Status is how one projection does.
type Status struct {
	Name     string         `json:"name"`
	Version  int            `json:"version"`  // that it should have
	Serving  string         `json:"serving"`  // id of the model that answers
	Building string         `json:"building"` // id of the model that will; "": it does
	Position event.Position `json:"position"` // of the model that is written
	Head     event.Position `json:"head"`     // of the log
	Lag      uint64         `json:"lag"`      // positions from Position to Head
	Folding  bool           `json:"folding"`  // by this node, as far as it knows
	Poison   int            `json:"poison"`   // events that could not be read
	Stopped  string         `json:"stopped"`  // why it does not go on until restarted; "": it does
	Failing  string         `json:"failing"`  // why its next page is still being tried; "": it is not
}

// Status returns all, in the order given.
func (h *Host) Status(ctx context.Context) ([]Status, error) {
	head, err := h.Source.Head(ctx)
	if err != nil {
		return nil, err
	}
	out := make([]Status, len(h.hosted))
	for i, s := range h.hosted {
		out[i] = s.status(head)
	}
	return out, nil
}

func (s *hosted) status(head event.Position) Status {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.serving.RLock()
	defer s.serving.RUnlock()
	st := Status{
		Name: s.p.Name, Version: s.p.Version, Serving: s.p.ID(), Position: s.seen, Head: head, Folding: s.hold != nil, Poison: s.poison,
	}
	if s.old != "" {
		st.Serving, st.Building = s.old, s.p.ID()
	}
	if head > s.seen {
		st.Lag = uint64(head - s.seen)
	}
	if _, stopped := s.reached.now(); stopped != nil {
		st.Stopped = stopped.Error()
	}
	if s.failed != nil {
		st.Failing = s.failed.Error()
	}
	return st
}

// Stopped is why a projection does not go on, on this node or on another; nil: all do.
func (h *Host) Stopped() error {
	for _, s := range h.hosted {
		if _, stopped := s.reached.now(); stopped != nil {
			return fmt.Errorf("projection %s: %w", s.p.ID(), stopped)
		}
	}
	return nil
}

// Poison lists up to limit events that a projection could not read, in log order.
func (h *Host) Poison(ctx context.Context, name string, limit int) (all []Poison, err error) {
	s, err := h.find(name)
	err = served{s, err}.with(func(Model) error {
		all, err = s.model.Poison(ctx, limit)
		return err
	})
	return all, err
}

var (
	labels       = []string{"projection"}
	lagDesc      = prometheus.NewDesc("cleversender_projection_lag_events", "Positions between a projection and the head of the log.", labels, nil)
	positionDesc = prometheus.NewDesc("cleversender_projection_position", "Position of the log that a projection has come to.", labels, nil)
	poisonDesc   = prometheus.NewDesc("cleversender_projection_poison_events", "Events that a projection could not read.", labels, nil)
	stoppedDesc  = prometheus.NewDesc("cleversender_projection_stopped", "1: the projection does not go on until the software is restarted or upgraded.", labels, nil)
	failingDesc  = prometheus.NewDesc("cleversender_projection_failing", "1: the projection's next page could not be applied and is tried again.", labels, nil)
)

// Collector gives the metrics of every projection.
func (h *Host) Collector() prometheus.Collector { return collector{h} }

type collector struct{ h *Host }

// Describe implements prometheus.Collector.
func (c collector) Describe(out chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{lagDesc, positionDesc, poisonDesc, stoppedDesc, failingDesc} {
		out <- d
	}
}

// Collect implements prometheus.Collector.
func (c collector) Collect(out chan<- prometheus.Metric) {
	all, err := c.h.Status(context.Background())
	if err != nil {
		out <- prometheus.NewInvalidMetric(lagDesc, err)
		return
	}
	for _, s := range all {
		gauge := func(d *prometheus.Desc, v float64) {
			out <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, s.Name)
		}
		gauge(lagDesc, float64(s.Lag))
		gauge(positionDesc, float64(s.Position))
		gauge(poisonDesc, float64(s.Poison))
		gauge(stoppedDesc, flag(s.Stopped != ""))
		gauge(failingDesc, flag(s.Failing != ""))
	}
}

func flag(b bool) float64 {
	if b {
		return 1
	}
	return 0
}
