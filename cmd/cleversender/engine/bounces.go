package engine

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	report "github.com/cleversender/cleversender/adapters/bounce"
	"github.com/cleversender/cleversender/adapters/bounce/intake"
	box "github.com/cleversender/cleversender/adapters/bounce/mailbox"
	"github.com/cleversender/cleversender/adapters/bounce/record"
	"github.com/cleversender/cleversender/adapters/bounce/webhook"
	"github.com/cleversender/cleversender/adapters/readmodel"
	"github.com/cleversender/cleversender/adapters/tracking"
	"github.com/cleversender/cleversender/domain"
	"github.com/cleversender/cleversender/domain/bounce"
	"github.com/cleversender/cleversender/domain/event"
)

// Bounces says by which ways we hear of bounces and complaints, and what follows.
// A way that is empty is closed.
type Bounces struct {
	Policy      bounce.Policy // zero: bounce.DefaultPolicy
	Listen      string        // where our own SMTP server takes mail to the bounce domain
	Certificate Certificate   // of that server, for STARTTLS
	Mailbox     string        // URL of a mailbox to be emptied (bounce/mailbox.Parse)
	SESTopics   []string      // ARNs of SNS topics
	SendGridKey string        // verification key, base64
	Postmark    string        // user:password
}

// Paths of the webhooks.
const (
	sesPath      = "/hooks/ses"
	sendGridPath = "/hooks/sendgrid"
	postmarkPath = "/hooks/postmark"
)

// postmarkEcho is the header whose value Postmark's webhooks give back; it
// replaces the Message-ID.
const postmarkEcho = "X-PM-Metadata-message_id"

var errNoBounceDomain = domain.Refuse("bounce_domain_missing", "to take bounces, name the domain that they come to: --bounce-domain")

// openBounces opens the ways by which bounces come in.
func (e *Engine) openBounces(ctx context.Context) error {
	o := e.options.Bounces
	kept, err := e.models.Open(ctx, cursorID, nil)
	if err != nil {
		return err
	}
	shared, _ := e.models.(readmodel.Shared)
	e.closers = append(e.closers, kept.Close)
	e.bounces = record.New(record.Options{
		Journal: e.Journal, Cursor: cursor{kept, shared}, Signer: e.Signer, NoOrdinal: tracking.NoOrdinal, Domain: e.composer.bounce, Policy: o.Policy,
		Now: time.Now, Logger: e.options.Logger, Metrics: e.Metrics,
	})
	if e.hooks, err = e.webhooks(); err != nil {
		return err
	}
	if o.Postmark != "" {
		e.composer.echo = postmarkEcho
	}
	if o.Mailbox != "" {
		where, err := box.Parse(o.Mailbox)
		if err != nil {
			return err
		}
		e.mailbox = func(ctx context.Context) {
			box.Run(ctx, where, box.Options{Logger: e.options.Logger, Handle: func(ctx context.Context, data []byte) error {
				return e.bounces.Mail(ctx, bounce.Mailbox, "", data)
			}})
		}
	}
	if o.Listen == "" {
		return nil
	}
	server, err := e.takeBounces(o)
	if err != nil {
		return err
	}
	e.closers = append(e.closers, server.Close)
	e.options.Logger.Info("taking bounces", "address", server.Addr(), "domain", e.composer.bounce)
	return nil
}

func (e *Engine) takeBounces(o Bounces) (*intake.Server, error) {
	if e.composer.bounce == "" {
		return nil, errNoBounceDomain
	}
	secured, err := o.Certificate.config()
	if err != nil {
		return nil, err
	}
	return intake.Listen(intake.Options{
		Addr: o.Listen, Hostname: e.composer.bounce, Domains: []string{e.composer.bounce}, TLS: secured, Logger: e.options.Logger,
		Handle: func(ctx context.Context, r intake.Received) error {
			return e.bounces.Mail(ctx, bounce.Intake, r.To, r.Data)
		},
	})
}

// webhooks are those that keys are given for, by their paths.
func (e *Engine) webhooks() (map[string]http.Handler, error) {
	o, hooks := e.options.Bounces, map[string]http.Handler{}
	options := func(source bounce.Source) webhook.Options {
		return webhook.Options{Logger: e.options.Logger, Handle: func(ctx context.Context, r report.Report) error {
			return e.bounces.Report(ctx, source, r)
		}}
	}
	var err error
	if len(o.SESTopics) > 0 {
		if hooks[sesPath], err = webhook.SES(options(bounce.SES), o.SESTopics, webhook.FetchHTTPS); err != nil {
			return nil, fmt.Errorf("webhook of Amazon SES: %w", err)
		}
	}
	if o.SendGridKey != "" {
		if hooks[sendGridPath], err = webhook.SendGrid(options(bounce.SendGrid), o.SendGridKey); err != nil {
			return nil, fmt.Errorf("webhook of SendGrid: %w", err)
		}
	}
	if o.Postmark != "" {
		user, password, _ := strings.Cut(o.Postmark, ":")
		if hooks[postmarkPath], err = webhook.Postmark(options(bounce.Postmark), user, password); err != nil {
			return nil, fmt.Errorf("webhook of Postmark: %w", err)
		}
	}
	return hooks, nil
}

// cursor is a read model without rows, as the recorder of bounces asks for it.
type cursor struct {
	readmodel.Model
	shared readmodel.Shared // where it is, if several nodes use it
}

const cursorID = "bounces_cursor"

// Turn implements record.Cursor.
func (c cursor) Turn(ctx context.Context) (at event.Position, mine bool, err error) {
	if c.shared == nil {
		at, err = c.Position(ctx)
		return at, true, err
	}
	marks, err := c.shared.Hold(ctx, []string{cursorID}, readmodel.Inherit)
	return marks[cursorID].Position, marks[cursorID].Mine, err
}

// Save implements record.Cursor.
func (c cursor) Save(ctx context.Context, from, to event.Position) error {
	err := c.Apply(ctx, readmodel.Batch{From: from, Next: to})
	if errors.Is(err, readmodel.ErrMoved) {
		return record.ErrTaken
	}
	return err
}

// Leave implements record.Cursor.
func (c cursor) Leave(ctx context.Context) error {
	if c.shared == nil {
		return nil
	}
	_, err := c.shared.Hold(ctx, []string{cursorID}, readmodel.Leave)
	return err
}
