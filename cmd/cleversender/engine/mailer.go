package engine

import (
	"context"
	"strings"
	"sync"

	"github.com/cleversender/cleversender/adapters/dkim"
	"github.com/cleversender/cleversender/adapters/liquid"
	"github.com/cleversender/cleversender/adapters/mime"
	"github.com/cleversender/cleversender/adapters/recipient"
	"github.com/cleversender/cleversender/adapters/sending"
	"github.com/cleversender/cleversender/domain"
	"github.com/cleversender/cleversender/domain/template"
)

// mailer makes one campaign's messages: what they share is encoded once, by
// mime; what differs goes from liquid, piece by piece, into the message.
type mailer struct {
	*composer
	mailing  sending.Mailing
	template *liquid.Template
	lists    map[domain.ID]listed
	host     string // of the From address: Message-IDs and List-Ids are in its name
	bodies   []func(*liquid.Rendering, liquid.Output) error
	dkim     *dkim.Signer
	presses  sync.Pool // of *press
}

// listed is what the messages that come by one list share.
type listed struct {
	name   string
	layout *mime.Layout
}

var errFrom = domain.Refuse("bad_from_email", "the sender's address has a domain that no mail server can have")

var errNoWayOut = domain.Refuse("no_unsubscribe", "nobody could unsubscribe: the address at which recipients reach the server is not known (--base-url)")

var errNoList = domain.Refuse("not_its_list", "the campaign does not go to this list")

// mailer refuses a template, or a sender, of which no message can be made.
func (c *composer) mailer(ctx context.Context, mailing sending.Mailing, content template.Content) (*mailer, error) {
	s := mailing.Settings
	if err := c.deliverable(s); err != nil {
		return nil, err
	}
	if !c.reachable() {
		return nil, errNoWayOut
	}
	from, ok := mime.ASCIIDomain(s.FromEmail)
	if !ok {
		return nil, errFrom
	}
	m := &mailer{
		composer: c, mailing: mailing, lists: map[domain.ID]listed{}, host: from[strings.LastIndexByte(from, '@')+1:],
		bodies: []func(*liquid.Rendering, liquid.Output) error{(*liquid.Rendering).Text, (*liquid.Rendering).HTML},
		dkim:   &dkim.Signer{},
	}
	var err error
	if m.template, err = liquid.Compile(content.Subject, content.HTML, content.Text); err != nil {
		return nil, err
	}
	common := mime.Common{
		From:        mime.Address{Name: s.FromName, Email: s.FromEmail},
		ReplyTo:     mime.Address{Email: s.ReplyTo},
		FeedbackID:  mailing.Campaign.String() + ":" + mailing.Account.String() + ":campaign:cleversender",
		Unsubscribe: c.base + recipient.UnsubscribePath,
		Echo:        c.echo,
	}
	common.Subject, _ = m.template.FixedSubject()
	common.Text, common.HTML = m.template.Fixed()
	if common.HTML == nil {
		m.bodies = m.bodies[:1]
	}
	layout, err := mime.NewLayout(common)
	if err != nil {
		return nil, err
	}
	for _, id := range s.Lists {
		name, err := c.listName(ctx, mailing.Account, id)
		if err != nil {
			return nil, err
		}
		own, err := layout.List(id.String()+"."+m.host, name)
		if err != nil {
			return nil, err
		}
		m.lists[id] = listed{name, own}
	}
	m.presses.New = func() any { return newPress(m) }
	return m, nil
}

// Message implements sending.Mailer.
func (m *mailer) Message(_ context.Context, dst []byte, r sending.Recipient) (sending.Message, error) {
	p := m.presses.Get().(*press)
	data, err := p.message(dst, r)
	p.clear()
	m.presses.Put(p)
	if err != nil {
		return sending.Message{}, err
	}
	s := m.mailing.Settings
	data, err = m.dkim.Sign(data, len(dst))
	return sending.Message{From: m.returnPath(r), To: r.Email, Data: data, Author: s.FromEmail, Server: s.Server}, err
}

// returnPath is where a bounce of r's message goes.
func (m *mailer) returnPath(r sending.Recipient) string {
	if m.bounce == "" {
		return m.mailing.Settings.FromEmail
	}
	return m.signer.BounceAddress(m.mailing.Campaign, r.Ordinal, m.bounce)
}
