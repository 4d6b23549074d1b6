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
	now    func() time.Time
}

var errContentChanged = domain.Refuse("content_changed", "the campaign's content is not what was frozen at its start")

var errFrom = domain.Refuse("bad_from_email", "the sender's address has a domain that no mail server can have")

// Freeze implements sending.Composer: the template as it is now, compiled once
// so that a broken one is refused before the campaign starts.
func (c *composer) Freeze(ctx context.Context, account domain.ID, s campaign.Settings) (campaign.Content, error) {
	if err := commands.Ready(s); err != nil {
		return campaign.Content{}, err
	}
	if _, ok := mime.ASCIIDomain(s.FromEmail); !ok {
		return campaign.Content{}, errFrom
	}
	content, revision, err := c.template(ctx, account, s.Template, 0)
	if err != nil {
		return campaign.Content{}, err
	}
	compiled, err := liquid.Compile(content.Subject, content.HTML, content.Text)
	if err != nil {
		return campaign.Content{}, err
	}
	links := compiled.Links()
	return campaign.Content{TemplateRevision: revision, SHA256: digest(content, links), Links: links}, nil
}

// Compile implements sending.Composer.
func (c *composer) Compile(ctx context.Context, m sending.Mailing) (sending.Mailer, error) {
	content, _, err := c.template(ctx, m.Account, m.Settings.Template, m.Content.TemplateRevision)
	if err != nil {
		return nil, err
	}
	compiled, err := liquid.Compile(content.Subject, content.HTML, content.Text)
	if err != nil {
		return nil, err
	}
	if digest(content, compiled.Links()) != m.Content.SHA256 {
		return nil, errContentChanged
	}
	lists := map[domain.ID]string{}
	for _, id := range m.Settings.Lists {
		if lists[id], err = c.listName(ctx, m.Account, id); err != nil {
			return nil, err
		}
	}
	ascii, ok := mime.ASCIIDomain(m.Settings.FromEmail)
	if !ok {
		return nil, errFrom
	}
	host := ascii[strings.LastIndexByte(ascii, '@')+1:]
	return &mailer{composer: c, mailing: m, template: compiled, lists: lists, host: host}, nil
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

// mailer makes one campaign's messages.
type mailer struct {
	*composer
	mailing  sending.Mailing
	template *liquid.Template
	lists    map[domain.ID]string
	host     string // of the From address: Message-IDs and List-Ids are in its name
}

// Message implements sending.Mailer.
func (m *mailer) Message(_ context.Context, dst []byte, r sending.Recipient) (sending.Message, error) {
	s := m.mailing.Settings
	token := tracking.Token{
		Campaign: m.mailing.Campaign, Ordinal: r.Ordinal, Person: r.Person,
		Account: m.mailing.Account, List: r.List,
	}
	vars := liquid.Vars{
		Name: r.Name, Email: r.Email, Attributes: r.Attributes,
		List: m.lists[r.List], Campaign: s.Name,
		UnsubscribeURL: m.url(recipient.UnsubscribePath, tracking.Unsubscribe, token),
	}
	if s.Tracking.Clicks && r.ClickTracking {
		vars.LinkURL = func(i int) string {
			token := token
			token.Link = i
			return m.url(recipient.LinkPath, tracking.Click, token)
		}
	}
	if s.Tracking.Opens && r.OpenTracking {
		vars.PixelURL = m.url(recipient.PixelPath, tracking.Open, token) + recipient.PixelSuffix
	}
	content, err := m.template.Render(vars, liquid.DefaultLimits)
	if err != nil {
		return sending.Message{}, err
	}
	data, err := mime.Compose(mime.Message{
		From:           mime.Address{Name: s.FromName, Email: s.FromEmail},
		To:             mime.Address{Name: r.Name, Email: r.Email},
		ReplyTo:        mime.Address{Email: s.ReplyTo},
		Subject:        content.Subject,
		Date:           m.now(),
		MessageID:      m.signer.MessageID(m.mailing.Campaign, r.Ordinal, m.host),
		ListID:         r.List.String() + "." + m.host,
		ListName:       m.lists[r.List],
		UnsubscribeURL: vars.UnsubscribeURL,
		FeedbackID:     m.mailing.Campaign.String() + ":" + m.mailing.Account.String() + ":campaign:cleversender",
		Text:           content.Text,
		HTML:           content.HTML,
	})
	return sending.Message{From: s.FromEmail, To: r.Email, Data: append(dst, data...)}, err
}

func (m *mailer) url(path string, kind tracking.Kind, t tracking.Token) string {
	t.Kind = kind
	return m.base + path + m.signer.Mint(t)
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
