package engine

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
	"time"

	"github.com/cleversender/cleversender/adapters/api"
	"github.com/cleversender/cleversender/adapters/liquid"
	"github.com/cleversender/cleversender/adapters/mime"
	"github.com/cleversender/cleversender/adapters/recipient"
	"github.com/cleversender/cleversender/adapters/sending"
	"github.com/cleversender/cleversender/adapters/tracking"
	"github.com/cleversender/cleversender/commands"
	"github.com/cleversender/cleversender/domain"
	"github.com/cleversender/cleversender/domain/campaign"
	"github.com/cleversender/cleversender/domain/list"
	"github.com/cleversender/cleversender/domain/template"
)

// composer makes messages of templates; it is the sending worker's Composer.
type composer struct {
	log    commands.Log
	signer *tracking.Signer
	base   string // public address of this server, without a slash at the end
	echo   string // header that repeats the Message-ID; "": none does
	bounce string // host of the return paths; "": the sender's address is where bounces go
	now    func() time.Time
	// private returns the private key of a selector of an account's domain.
	private func(ctx context.Context, account domain.ID, name, selector string) ([]byte, error)
	// deliverable refuses what no mail server would take, or no hour.
	deliverable func(campaign.Settings) error
}

// reachable: recipients can be told how to leave.
func (c *composer) reachable() bool {
	return strings.HasPrefix(c.base, "https://") || strings.HasPrefix(c.base, "http://")
}

var errContentChanged = domain.Refuse("content_changed", "the campaign's content is not what was frozen at its start")

var errBounceDomain = domain.Refuse("bad_bounce_domain", "bounces cannot come back to this domain: no mail server can have its name")

func (e *Engine) newComposer() (*composer, error) {
	c := &composer{log: e.Journal, signer: e.Signer, base: e.options.BaseURL, now: time.Now, deliverable: e.deliverable,
		private: privateKeys{e.Keys}.private}
	if e.options.BounceDomain == "" {
		return c, nil
	}
	sample, ok := mime.ASCIIDomain(e.Signer.BounceAddress(domain.ID{}, 0, e.options.BounceDomain))
	if !ok {
		return nil, errBounceDomain
	}
	c.bounce = sample[strings.LastIndexByte(sample, '@')+1:]
	return c, nil
}

// Freeze implements sending.Composer: the template as it is now, compiled once
// so that a broken one is refused before the campaign starts.
func (c *composer) Freeze(ctx context.Context, account domain.ID, s campaign.Settings) (campaign.Content, error) {
	if err := commands.Ready(s); err != nil {
		return campaign.Content{}, err
	}
	content, revision, err := c.template(ctx, account, s.Template, 0)
	if err != nil {
		return campaign.Content{}, err
	}
	m, err := c.mailer(ctx, sending.Mailing{Account: account, Settings: s}, content)
	if err != nil {
		return campaign.Content{}, err
	}
	links := m.template.Links()
	return campaign.Content{TemplateRevision: revision, SHA256: digest(content, links), Links: links}, nil
}

// Compile implements sending.Composer.
func (c *composer) Compile(ctx context.Context, mailing sending.Mailing) (sending.Mailer, error) {
	content, _, err := c.template(ctx, mailing.Account, mailing.Settings.Template, mailing.Content.TemplateRevision)
	if err != nil {
		return nil, err
	}
	m, err := c.mailer(ctx, mailing, content)
	if err != nil {
		return nil, err
	}
	if digest(content, m.template.Links()) != mailing.Content.SHA256 {
		return nil, errContentChanged
	}
	if m.dkim, err = c.dkimOf(ctx, mailing.Account, m.host); err != nil {
		return nil, err
	}
	return m, nil
}

// template reads a template's content at a revision, 0 for the newest.
func (c *composer) template(ctx context.Context, account, id domain.ID, revision uint64) (template.Content, uint64, error) {
	past, err := c.log.Load(ctx, template.Stream(id))
	if err != nil {
		return template.Content{}, 0, fmt.Errorf("load template: %w", err)
	}
	if len(past) == 0 || past[0].Meta.Account != account || revision > uint64(len(past)) {
		return template.Content{}, 0, commands.ErrNotFound
	}
	if revision == 0 {
		revision = uint64(len(past))
	}
	var t template.Template
	for _, e := range past[:revision] {
		t = t.Evolve(e.Data.(template.Event))
	}
	return t.Content, revision, nil
}

func (c *composer) listName(ctx context.Context, account, id domain.ID) (string, error) {
	past, err := c.log.Load(ctx, list.Stream(id))
	if err != nil {
		return "", fmt.Errorf("load list: %w", err)
	}
	if len(past) == 0 || past[0].Meta.Account != account {
		return "", commands.ErrNotFound
	}
	var l list.List
	for _, e := range past {
		l = l.Evolve(e.Data.(list.Event))
	}
	return l.Name, nil
}

// digest is the SHA-256 of what every recipient gets: each part and link,
// with its length in front, so that no two contents share one.
func digest(c template.Content, links []string) string {
	h := sha256.New()
	for _, part := range append([]string{c.Subject, c.HTML, c.Text}, links...) {
		fmt.Fprintf(h, "%d:%s", len(part), part)
	}
	return hex.EncodeToString(h.Sum(nil))
}

// check refuses a template that could never be rendered.
func check(c template.Content) error {
	_, err := liquid.Compile(c.Subject, c.HTML, c.Text)
	return err
}

// preview renders a template for somebody made up; its links are not tracked.
func (e *Engine) preview(_ context.Context, c template.Content, s api.Sample) (api.Rendered, error) {
	t, err := liquid.Compile(c.Subject, c.HTML, c.Text)
	if err != nil {
		return api.Rendered{}, err
	}
	m, err := t.Render(liquid.Vars{
		Name: s.Name, Email: s.Email, Attributes: s.Attributes, List: "List", Campaign: "Preview",
		UnsubscribeURL: e.options.BaseURL + recipient.UnsubscribePath + "preview",
	}, liquid.DefaultLimits)
	return api.Rendered(m), err
}
