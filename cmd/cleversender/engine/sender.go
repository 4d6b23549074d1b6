package engine

import (
	"context"
	"fmt"
	"time"
	_ "time/tzdata" // send windows are the same wherever the program runs

	"github.com/cleversender/cleversender/adapters/pacing"
	"github.com/cleversender/cleversender/adapters/relay"
	"github.com/cleversender/cleversender/adapters/sending"
	"github.com/cleversender/cleversender/adapters/smtp"
	"github.com/cleversender/cleversender/domain"
	"github.com/cleversender/cleversender/domain/campaign"
	"github.com/cleversender/cleversender/projections/campaignlist"
	"github.com/cleversender/cleversender/projections/campaignreport"
)

// openSender puts the workers that send on top of the mail servers and the limits.
func (e *Engine) openSender(o Options) error {
	servers := make([]relay.Server, len(o.SMTP))
	connections := 0
	for i, url := range o.SMTP {
		c, err := smtp.Parse(url)
		if err != nil {
			return err
		}
		pool := smtp.Open(c)
		e.closers = append(e.closers, pool.Close)
		servers[i] = relay.Server{
			Name: c.Name, From: c.From, Priority: c.Priority, Rate: c.Rate, Connections: c.Connections,
			Send: pool.Send, Connected: pool.Connections,
		}
		switch {
		case c.Name != "":
		case len(o.SMTP) == 1:
			servers[i].Name, servers[i].Only = "default", true
		default:
			servers[i].Name = c.Host
		}
		connections += c.Connections
	}
	var err error
	if e.relay, err = relay.New(servers); err != nil {
		return err
	}
	e.pacer = pacing.New(o.Limits)
	s := o.Sending
	s.Journal, s.Audience, s.Composer = e.Journal, permissions{e.Models}, e.composer
	s.Transport, s.Limits = transport{e.relay}, limits{e.pacer, e.relay}
	if s.Connections == 0 {
		s.Connections = 3 * connections // so that each finds its next messages waiting
	}
	s.Blocked, s.Logger = e.blocked, o.Logger
	_, s.Sole = o.localLog() // a folder is ours alone
	e.sender, e.outbox = sending.New(s), e.newOutbox(s)
	e.Metrics.MustRegister(e.sender, e.outbox, e.relay, e.pacer)
	return nil
}

// send runs the sending worker, once warm-up plans know what has been sent.
func (e *Engine) send(ctx context.Context) error {
	if len(e.options.Limits.Warmup) > 0 {
		if err := e.warm(ctx); err != nil {
			return fmt.Errorf("warm-up plans: %w", err)
		}
	}
	return e.sender.Run(ctx)
}

// warm counts what has been sent from each domain that has a plan, day by day.
func (e *Engine) warm(ctx context.Context) error {
	head, err := e.Journal.Head(ctx)
	if err != nil {
		return err
	}
	for _, model := range []string{campaignlist.Projection.Name, campaignreport.Projection.Name} {
		if err := e.Models.WaitFor(ctx, model, head); err != nil {
			return err
		}
	}
	sent := map[string]map[time.Time]int{}
	for from := range e.options.Limits.Warmup {
		sent[from] = map[time.Time]int{}
	}
	err = campaignlist.Each(ctx, e.Models.Reader(campaignlist.Projection.Name), func(c campaignlist.Campaign) error {
		days := sent[pacing.HostOf(c.Settings.FromEmail)]
		if days == nil {
			return nil
		}
		hours, err := campaignreport.Hours(ctx, e.Models.Reader(campaignreport.Projection.Name), c.ID)
		for _, h := range hours {
			days[h.Start] += h.Sent
		}
		return err
	})
	for from, days := range sent {
		e.pacer.Warmed(from, days, time.Now())
	}
	return err
}

// held says which limit lets a campaign wait, if this process sends it.
func (e *Engine) held(id campaign.ID) (by string, until time.Time) {
	if e.pacer == nil {
		return "", until
	}
	return e.pacer.Held(id, time.Now())
}

var errNoZone = domain.Refuse("unknown_time_zone", "the send window's time zone does not exist; it is named like Europe/Berlin")

// deliverable refuses a mail server that is not there, or takes no mail of the
// sender, and a send window in a zone that is not.
func (e *Engine) deliverable(s campaign.Settings) error {
	if w, err := campaign.ParseWindow(s.Window); s.Window != "" && err == nil {
		if _, err := time.LoadLocation(w.Zone); err != nil {
			return errNoZone
		}
	}
	if e.relay == nil { // another process sends
		return nil
	}
	return e.relay.Check(s.FromEmail, s.Server)
}
