package engine

import (
	"context"
	"fmt"
	"strings"

	"github.com/cleversender/cleversender/adapters/liquid"
	"github.com/cleversender/cleversender/adapters/mime"
	"github.com/cleversender/cleversender/adapters/recipient"
	"github.com/cleversender/cleversender/adapters/sending"
	"github.com/cleversender/cleversender/adapters/sending/outbox"
	"github.com/cleversender/cleversender/adapters/tracking"
	"github.com/cleversender/cleversender/commands"
	"github.com/cleversender/cleversender/domain"
	"github.com/cleversender/cleversender/domain/campaign"
	"github.com/cleversender/cleversender/domain/message"
)

// testMark is what the subject of a test begins with.
const testMark = "[Test] "

// letter makes a message outside campaigns; it is the outbox's Compose. Nothing
// in it is tracked, and there is nothing to unsubscribe from.
func (c *composer) letter(ctx context.Context, o outbox.Order) (sending.Message, error) {
	from, ok := mime.ASCIIDomain(o.FromEmail)
	if !ok {
		return sending.Message{}, errFrom
	}
	content, _, err := c.template(ctx, o.Account, o.Template, o.TemplateRevision)
	if err != nil {
		return sending.Message{}, err
	}
	t, err := liquid.Compile(content.Subject, content.HTML, content.Text)
	if err != nil {
		return sending.Message{}, err
	}
	vars := liquid.Vars{Name: o.Name, Email: o.Email, Attributes: o.Variables}
	m := sending.Message{From: o.FromEmail, To: o.Email, Author: o.FromEmail}
	if o.Kind == message.Test {
		if m.Server, err = c.pretend(ctx, &vars, o); err != nil {
			return sending.Message{}, err
		}
	}
	said, err := t.Render(vars, liquid.DefaultLimits)
	if err != nil {
		return sending.Message{}, err
	}
	if o.Kind == message.Test {
		said.Subject = testMark + said.Subject
	}
	host := from[strings.LastIndexByte(from, '@')+1:]
	data, err := written(o, said, c.echo, mime.Own{
		To: mime.Address{Name: o.Name, Email: o.Email}, Date: c.now(), MessageID: c.signer.MessageID(o.Message, tracking.NoOrdinal, host),
	})
	if err != nil {
		return sending.Message{}, err
	}
	if c.bounce != "" {
		m.From = c.signer.BounceAddress(o.Message, tracking.NoOrdinal, c.bounce)
	}
	signer, err := c.dkimOf(ctx, o.Account, host)
	if err != nil {
		return sending.Message{}, err
	}
	m.Data, err = signer.Sign(data, 0)
	return m, err
}

// written is the message in bytes.
func written(o outbox.Order, said liquid.Message, echo string, own mime.Own) ([]byte, error) {
	common := mime.Common{
		From: mime.Address{Name: o.FromName, Email: o.FromEmail}, ReplyTo: mime.Address{Email: o.ReplyTo}, Subject: said.Subject,
		FeedbackID: o.Template.String() + ":" + o.Account.String() + ":" + string(o.Kind) + ":cleversender",
		Echo:       echo, Automatic: true, Text: []string{said.Text},
	}
	if said.HTML != "" {
		common.HTML = []string{said.HTML}
	}
	layout, err := mime.NewLayout(common)
	if err != nil {
		return nil, err
	}
	w, err := layout.Begin(nil, own)
	if err != nil {
		return nil, err
	}
	w.Next()
	w.Fixed(0)
	if common.HTML != nil {
		w.Next()
		w.Fixed(0)
	}
	return w.End(), nil
}

// pretend gives a test what a recipient of its campaign would be shown, and
// names the server that the campaign is to leave by.
func (c *composer) pretend(ctx context.Context, vars *liquid.Vars, o outbox.Order) (server string, err error) {
	past, err := c.log.Load(ctx, campaign.Stream(o.Campaign))
	if err != nil {
		return "", fmt.Errorf("load campaign: %w", err)
	}
	if len(past) == 0 || past[0].Meta.Account != o.Account {
		return "", commands.ErrNotFound
	}
	var state campaign.Campaign
	for _, e := range past {
		state = state.Evolve(e.Data.(campaign.Event))
	}
	s := state.Settings
	vars.Campaign, vars.UnsubscribeURL = s.Name, c.base+recipient.UnsubscribePath+recipient.TestToken
	if len(s.Lists) > 0 {
		vars.List, err = c.listName(ctx, o.Account, s.Lists[0])
	}
	return s.Server, err
}

// frozen is a request with the template as it is now. One of which no message
// can be made is refused.
func (c *composer) frozen(ctx context.Context, account, id domain.ID, m message.Requested) (message.Requested, error) {
	switch {
	case m.Template.IsZero():
		return m, commands.ErrNoTemplate
	case m.FromEmail == "":
		return m, commands.ErrNoSender
	}
	content, revision, err := c.template(ctx, account, m.Template, 0)
	if err != nil {
		return m, err
	}
	m.TemplateRevision, m.SHA256 = revision, digest(content, nil)
	o := outbox.Order{Account: account, Message: id, Requested: m}
	o.Email, _ = m.To.Reveal()
	o.Name, _ = m.Name.Reveal()
	o.Variables, _ = m.Variables.Reveal()
	made, err := c.letter(ctx, o)
	if err != nil {
		return m, err
	}
	return m, c.deliverable(campaign.Settings{FromEmail: made.Author, Server: made.Server})
}
