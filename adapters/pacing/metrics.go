package pacing

import (
	"maps"
	"slices"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/cleversender/cleversender/domain/delivery"
)

// counts are kept under the pacer's lock. Domains that have a limit of their
// own have a row each; all others share the first: labels stay few, and name
// nobody's own domain.
type counts struct {
	held    [guards]uint64
	trips   map[string]uint64 // by code
	rows    map[string]int    // by domain
	domains []domainCounts
}

type domainCounts struct {
	name                                          string
	accepted, deferred, rejected, unclear, slowed uint64
}

func newCounts(o Options) counts {
	c := counts{trips: map[string]uint64{}, rows: map[string]int{}, domains: []domainCounts{{name: "other"}}}
	for _, name := range slices.Sorted(maps.Keys(o.Domains)) {
		c.rows[name] = len(c.domains)
		c.domains = append(c.domains, domainCounts{name: name})
	}
	return c
}

func (d *domainCounts) heard(o delivery.Outcome) {
	switch o {
	case delivery.Taken:
		d.accepted++
	case delivery.NotNow:
		d.deferred++
	case delivery.Never:
		d.rejected++
	case delivery.Unclear:
		d.unclear++
	}
}

var (
	heldDesc = prometheus.NewDesc("cleversender_limits_held_total",
		"How often a limit let a message, or a campaign, wait.", []string{"limit"}, nil)
	tripsDesc = prometheus.NewDesc("cleversender_breaker_trips_total",
		"Campaigns stopped because servers turned them away.", []string{"reason"}, nil)
	domainDesc = prometheus.NewDesc("cleversender_domain_replies_total",
		"Replies by recipients' domain; those without a limit of their own are other.", []string{"domain", "result"}, nil)
	slowedDesc = prometheus.NewDesc("cleversender_domain_slowdowns_total",
		"How often a recipients' domain slowed us down.", []string{"domain"}, nil)
	restingDesc = prometheus.NewDesc("cleversender_domains_slowed",
		"Recipients' domains that get less than they might, for having slowed us down.", nil, nil)
	warmupDesc = prometheus.NewDesc("cleversender_warmup_left",
		"What a warm-up plan leaves of the day it counted last.", []string{"from"}, nil)
)

// Describe implements prometheus.Collector.
func (p *Pacer) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{heldDesc, tripsDesc, domainDesc, slowedDesc, restingDesc, warmupDesc} {
		ch <- d
	}
}

// Collect implements prometheus.Collector.
func (p *Pacer) Collect(ch chan<- prometheus.Metric) {
	for _, m := range p.measure() {
		ch <- m
	}
}

func (p *Pacer) measure() (all []prometheus.Metric) {
	p.mu.Lock()
	defer p.mu.Unlock()
	count := func(d *prometheus.Desc, n uint64, labels ...string) {
		all = append(all, prometheus.MustNewConstMetric(d, prometheus.CounterValue, float64(n), labels...))
	}
	gauge := func(d *prometheus.Desc, n int, labels ...string) {
		all = append(all, prometheus.MustNewConstMetric(d, prometheus.GaugeValue, float64(n), labels...))
	}
	for g, name := range guardNames {
		count(heldDesc, p.counts.held[g], name)
	}
	for code, n := range p.counts.trips {
		count(tripsDesc, n, code)
	}
	for _, d := range p.counts.domains {
		count(domainDesc, d.accepted, d.name, "accepted")
		count(domainDesc, d.deferred, d.name, "deferred")
		count(domainDesc, d.rejected, d.name, "rejected")
		count(domainDesc, d.unclear, d.name, "unknown")
		count(slowedDesc, d.slowed, d.name)
	}
	slowed := 0
	for _, l := range p.lanes.known {
		if l.slowed {
			slowed++
		}
	}
	gauge(restingDesc, slowed)
	for from, plan := range p.plans {
		if plan.past < len(plan.quotas) {
			gauge(warmupDesc, max(plan.quotas[plan.past]-plan.today, 0), from)
		}
	}
	return all
}
