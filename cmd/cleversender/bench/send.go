package bench

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"runtime/debug"
	"runtime/pprof"
	"strings"
	"time"

	"github.com/cleversender/cleversender/adapters/api"
	"github.com/cleversender/cleversender/adapters/eventlog"
	"github.com/cleversender/cleversender/adapters/smtp"
	"github.com/cleversender/cleversender/cmd/cleversender/client"
	"github.com/cleversender/cleversender/cmd/cleversender/engine"
	"github.com/cleversender/cleversender/domain"
	"github.com/cleversender/cleversender/domain/campaign"
	"github.com/cleversender/cleversender/domain/event"
)

// benchSend sends a campaign to Size people who agreed to mail and tracking,
// on an engine as serve runs it, each send durable with its consent. The unit
// is a message; the first report is from campaign.started to campaign.finished,
// the second ends when every projection has caught up. The limit is a bare
// client that sends a constant message of the same size to the same server.
func benchSend(ctx context.Context, b *bench) (reports []Report, err error) {
	if _, err := b.people(ctx); err != nil {
		return nil, err
	}
	to := mailServer{url: b.SMTP}
	if b.SMTP == "" {
		if to.sink, err = startPart(ctx, "sink"); err != nil {
			return nil, err
		}
		defer func() { err = errors.Join(err, to.sink.end()) }()
	}
	if _, err := to.took(); err != nil {
		return nil, err
	}
	if err := b.reopen(ctx, to.url); err != nil {
		return nil, err
	}
	b.api = client.Local(b.engine.Handler(engine.Web{}), b.token)
	send := b.sendTo
	if b.DKIM {
		send = b.sendSigned
	}
	sent, projected, err := send(ctx, &to, "example.org")
	if err != nil {
		return nil, err
	}
	if err := to.limit(ctx, b.Size, &sent); err != nil {
		return nil, err
	}
	projected.Against(sent.LimitPerSecond)
	return []Report{sent, projected}, nil
}

// sendTo sends one campaign from an address of this host.
func (b *bench) sendTo(ctx context.Context, to *mailServer, host string) (sent, projected Report, err error) {
	id, err := b.draftLetter(ctx, host)
	if err != nil {
		return sent, projected, err
	}
	before, err := b.engine.Journal.Head(ctx)
	if err != nil {
		return sent, projected, err
	}
	load := loadAverage()
	m, err := b.meter()
	if err != nil {
		return sent, projected, err
	}
	if err := b.api.Call(ctx, http.MethodPost, "/campaigns/"+id.String()+"/start", nil, nil); err != nil {
		return sent, projected, err
	}
	run, err := b.finished(ctx, id)
	if err != nil {
		return sent, projected, err
	}
	sent = m.report("send", b.Size)
	sent.took(run.finished.Sub(run.started))
	head, err := b.engine.Journal.Head(ctx)
	if err != nil {
		return sent, projected, err
	}
	if err := b.engine.Settled(ctx); err != nil {
		return sent, projected, err
	}
	projected = m.report("send+projections", b.Size)
	pprof.StopCPUProfile()
	took, err := to.took()
	if err != nil {
		return sent, projected, err
	}
	if run.Sent != b.Size || to.sink != nil && took.Messages != run.Sent {
		return sent, projected, fmt.Errorf("%d people, %+v, and the server took %d messages", b.Size, run.Finished, took.Messages)
	}
	recorded, err := b.recorded(ctx, before, head)
	if err != nil {
		return sent, projected, err
	}
	events, err := eventlog.Count(ctx, b.engine.Log, before, nil)
	if err != nil {
		return sent, projected, err
	}
	sent.Extra = map[string]any{"sent": run.Sent, "recorded_with_consent": recorded.withConsent, "events": events, "load": load}
	wire := recorded.wire // of a server that is not ours the log has to say
	if to.sink != nil {
		wire = took.Last.Sub(took.First)
		sent.Extra["taken"], sent.Extra["message_bytes"] = took.Messages, took.Bytes/int64(took.Messages)
		sent.Extra["sink_cpu_us"] = perUnit(took.CPU, took.Messages)
	}
	sent.Extra["wire_seconds"], sent.Extra["wire_per_second"] = float64(wire.Milliseconds())/1000, round(float64(run.Sent)/wire.Seconds())
	return sent, projected, nil
}

// reopen has the engine send by way of a mail server, in memory of its own.
func (b *bench) reopen(ctx context.Context, smtp string) error {
	if err := b.engine.Close(ctx); err != nil {
		return err
	}
	b.engine = nil
	debug.FreeOSMemory()
	o := b.options()
	o.SMTP = []string{smtp}
	var err error
	b.engine, err = engine.Open(ctx, o)
	return err
}

// draftLetter drafts a campaign to everybody, from an address of a host.
func (b *bench) draftLetter(ctx context.Context, host string) (domain.ID, error) {
	var template api.TemplateID
	if err := b.api.Call(ctx, http.MethodPost, "/templates", api.TemplateNew{
		Name: "Letter", Subject: letterSubject, HTML: letterHTML,
	}, &template); err != nil {
		return domain.ID{}, err
	}
	var made api.CampaignID
	err := b.api.Call(ctx, http.MethodPost, "/campaigns", api.CampaignSettings{
		Name: "Bench", Lists: []domain.ID{b.list}, Template: template.ID, FromName: "Bench", FromEmail: "news@" + host,
		Tracking: api.Tracking{Opens: true, Clicks: true},
	}, &made)
	return made.ID, err
}

// run is a campaign that is over, with the times of its events.
type run struct {
	campaign.Finished
	started, finished time.Time
}

// finished asks the more rarely, the longer it takes: asking is in the figures.
func (b *bench) finished(ctx context.Context, id domain.ID) (r run, err error) {
	for began := time.Now(); ; {
		past, err := b.engine.Journal.Load(ctx, campaign.Stream(id))
		if err != nil {
			return r, err
		}
		if r.read(past) {
			return r, nil
		}
		select {
		case <-ctx.Done():
			return r, fmt.Errorf("wait for the campaign: %w", ctx.Err())
		case <-time.After(max(20*time.Millisecond, time.Since(began)/50)):
		}
	}
}

func (r *run) read(past []event.Recorded) (over bool) {
	for _, e := range past {
		switch d := e.Data.(type) {
		case campaign.Started:
			r.started = e.At
		case campaign.Finished:
			r.Finished, r.finished, over = d, e.At, true
		}
	}
	return over
}

// mailServer is what takes the mail: our sink, or somebody else's server.
type mailServer struct {
	url  string
	sink *part // nil: somebody else's
}

// took is what the sink took since it was last asked.
func (s *mailServer) took() (t taken, err error) {
	if s.sink == nil {
		return t, nil
	}
	err = s.sink.ask(struct{}{}, &t)
	s.url = t.URL
	return t, err
}

// maxBare bounds how long the limit takes.
const maxBare = 200_000

// limit measures a bare client on the same server.
func (s *mailServer) limit(ctx context.Context, messages int, r *Report) (err error) {
	config, err := smtp.Parse(s.url)
	if err != nil {
		return err
	}
	size, _ := r.Extra["message_bytes"].(int64)
	if size == 0 {
		size = defaultSize
	}
	p, err := startPart(ctx, "client")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, p.end()) }()
	job := bareJob{Addr: config.Addr, Connections: config.Connections, Messages: min(messages, maxBare), Size: int(size)}
	var done bareResult
	if err := p.ask(job, &done); err != nil {
		return fmt.Errorf("bare client: %w", err)
	}
	if took, err := s.took(); err != nil {
		return err
	} else if s.sink != nil && took.Messages != job.Messages {
		return fmt.Errorf("the server took %d of %d bare messages", took.Messages, job.Messages)
	}
	r.Against(float64(job.Messages) / done.Took.Seconds())
	r.Extra["limit_cpu_us"], r.Extra["connections"] = perUnit(done.CPU, job.Messages), job.Connections
	return nil
}

// defaultSize is about what a message of letterHTML has, in bytes.
const defaultSize = 6000

// smtpURL takes host:port, too.
func smtpURL(s string) string {
	if s == "" || strings.Contains(s, "://") {
		return s
	}
	return "smtp://" + s
}
