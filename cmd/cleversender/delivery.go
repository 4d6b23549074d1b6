package main

import (
	"time"

	"github.com/cleversender/cleversender/adapters/pacing"
	"github.com/cleversender/cleversender/cmd/cleversender/engine"
)

// deliveryFlags say by which servers, how fast, and how often.
type deliveryFlags struct {
	SMTP        []string        `help:"Server that takes our mail: smtp://host:port, smtps://user:password@host, smtps://user@host?password_file=/path. Several: one flag each." env:"CLEVERSENDER_SMTP" name:"smtp" sep:" "`
	Connections int             `help:"Messages handed over at once. By default, three times the servers' connections."`
	Rate        pacing.Rate     `help:"Messages at most, such as 20/s, 600/m, 10000/h, 100000/d." placeholder:"N/s"`
	AccountRate pacing.Rate     `help:"Messages of each account at most." placeholder:"N/s"`
	DomainLimit []domainLimit   `help:"What recipients of a domain get at most: a rate, messages under way at once, or both. *: every other domain." placeholder:"gmail.com=20/s,10" sep:"none"`
	Warmup      []warmup        `help:"Messages from a domain that is new, day by day." placeholder:"example.org=50,100,200" sep:"none"`
	Lease       time.Duration   `help:"How long a node that falls silent keeps the recipients that it was sending to; then another takes over." default:"30s"`
	Retries     []time.Duration `help:"Pauses before a message that a server deferred is tried again. By default 5m, 15m, 1h, 4h, 12h."`
}

type domainLimit struct {
	domain string
	limit  pacing.DomainLimit
}

// UnmarshalText implements encoding.TextUnmarshaler.
func (d *domainLimit) UnmarshalText(text []byte) (err error) {
	d.domain, d.limit, err = pacing.ParseDomainLimit(string(text))
	return err
}

type warmup struct {
	from   string
	quotas []int
}

// UnmarshalText implements encoding.TextUnmarshaler.
func (w *warmup) UnmarshalText(text []byte) (err error) {
	w.from, w.quotas, err = pacing.ParseWarmup(string(text))
	return err
}

func (f deliveryFlags) apply(o *engine.Options) {
	o.Sending.Connections, o.Sending.Retries, o.Sending.Lease = f.Connections, f.Retries, f.Lease
	o.Limits = pacing.Options{Rate: f.Rate, AccountRate: f.AccountRate, Domains: map[string]pacing.DomainLimit{}, Warmup: map[string][]int{}}
	for _, d := range f.DomainLimit {
		if d.domain == "*" {
			o.Limits.Domain = d.limit
			continue
		}
		o.Limits.Domains[d.domain] = d.limit
	}
	for _, w := range f.Warmup {
		o.Limits.Warmup[w.from] = w.quotas
	}
}
