package engine

import (
	"github.com/cleversender/cleversender/adapters/liquid"
	"github.com/cleversender/cleversender/adapters/mime"
	"github.com/cleversender/cleversender/adapters/recipient"
	"github.com/cleversender/cleversender/adapters/sending"
	"github.com/cleversender/cleversender/adapters/tracking"
)

// press makes one message of a mailer's at a time, in the memory of the last one.
type press struct {
	*mailer
	token     tracking.Token // what all links of the message at hand say
	rendering *liquid.Rendering
	writer    mime.Writer
	link      func(dst []byte, i int) []byte
	pixel     func(dst []byte) []byte
}

func newPress(m *mailer) *press {
	p := &press{mailer: m, rendering: m.template.Rendering(liquid.Vars{}, liquid.DefaultLimits)}
	p.link, p.pixel = p.appendLink, p.appendPixel
	return p
}

// clear forgets whom the last message was for.
func (p *press) clear() {
	p.token, p.writer = tracking.Token{}, mime.Writer{}
	p.rendering.Begin(liquid.Vars{})
}

// message appends r's message to dst.
func (p *press) message(dst []byte, r sending.Recipient) ([]byte, error) {
	list, found := p.lists[r.List]
	if !found {
		return nil, errNoList
	}
	vars := p.vars(r, list.name)
	p.rendering.Begin(vars)
	subject, err := p.rendering.Subject()
	if err != nil {
		return nil, err
	}
	p.writer, err = list.layout.Begin(dst, mime.Own{
		To:             mime.Address{Name: r.Name, Email: r.Email},
		Subject:        subject,
		Date:           p.now(),
		MessageID:      p.signer.MessageID(p.mailing.Campaign, r.Ordinal, p.host),
		UnsubscribeURL: vars.UnsubscribeURL,
	})
	if err != nil {
		return nil, err
	}
	for _, body := range p.bodies {
		p.writer.Next()
		if err := body(p.rendering, &p.writer); err != nil {
			return nil, err
		}
	}
	return p.writer.End(), nil
}

// vars is what the template may name; the URLs of what is tracked are made when
// they are written.
func (p *press) vars(r sending.Recipient, list string) liquid.Vars {
	s := p.mailing.Settings
	p.token = tracking.Token{
		Campaign: p.mailing.Campaign, Ordinal: r.Ordinal, Person: r.Person, Account: p.mailing.Account, List: r.List,
	}
	var room [256]byte
	vars := liquid.Vars{
		Name: r.Name, Email: r.Email, Attributes: r.Attributes, List: list, Campaign: s.Name,
		UnsubscribeURL: string(p.appendURL(room[:0], recipient.UnsubscribePath, tracking.Unsubscribe, 0)),
	}
	if s.Tracking.Clicks && r.ClickTracking {
		vars.LinkURL = p.link
	}
	if s.Tracking.Opens && r.OpenTracking {
		vars.PixelURL = p.pixel
	}
	return vars
}

func (p *press) appendLink(dst []byte, i int) []byte {
	return p.appendURL(dst, recipient.LinkPath, tracking.Click, i)
}

func (p *press) appendPixel(dst []byte) []byte {
	return append(p.appendURL(dst, recipient.PixelPath, tracking.Open, 0), recipient.PixelSuffix...)
}

func (p *press) appendURL(dst []byte, path string, kind tracking.Kind, link int) []byte {
	p.token.Kind, p.token.Link = kind, link
	return p.signer.AppendMint(append(append(dst, p.base...), path...), p.token)
}
