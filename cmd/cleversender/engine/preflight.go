package engine

import (
	"context"
	"net"

	"github.com/cleversender/cleversender/adapters/api"
	"github.com/cleversender/cleversender/adapters/liquid"
	"github.com/cleversender/cleversender/adapters/preflight"
	"github.com/cleversender/cleversender/adapters/sending"
	"github.com/cleversender/cleversender/adapters/web"
	"github.com/cleversender/cleversender/commands"
	"github.com/cleversender/cleversender/domain"
	"github.com/cleversender/cleversender/domain/campaign"
	"github.com/cleversender/cleversender/domain/event"
	"github.com/cleversender/cleversender/projections/audience"
)

func (e *Engine) newChecker() *preflight.Checker {
	deps := preflight.Deps{
		Audience: membership{permissions{e.Models}, e.Journal.Head}, Open: e.Journal.OpenValues, Letter: e.composer.rehearse,
		Client: preflight.Guarded(), BaseURL: e.options.BaseURL, BounceDomain: e.composer.bounce,
		Keys: e.composer.published, Sends: len(e.options.SMTP) > 0,
	}
	if !e.options.NoDNS {
		deps.Resolver = &net.Resolver{}
	}
	return preflight.New(deps)
}

// rehearse is a campaign's message, as preflight looks at it. A refusal is that
// of Freeze: no message can be made.
func (c *composer) rehearse(ctx context.Context, account domain.ID, s campaign.Settings) (preflight.Letter, error) {
	if !c.reachable() { // which is a finding of its own
		elsewhere := *c
		elsewhere.base = "https://unknown.invalid"
		c = &elsewhere
	}
	if err := commands.Ready(s); err != nil {
		return preflight.Letter{}, err
	}
	content, _, err := c.template(ctx, account, s.Template, 0)
	if err != nil {
		return preflight.Letter{}, err
	}
	m, err := c.mailer(ctx, sending.Mailing{Account: account, Settings: s}, content)
	if err != nil {
		return preflight.Letter{}, err
	}
	return preflight.Letter{
		HTML:      content.HTML,
		Variables: liquid.Unguarded(content.Subject, content.HTML, content.Text),
		Render: func(p preflight.Person, tracking bool) (preflight.Message, error) {
			vars := newPress(m).vars(sending.Recipient{
				Person: p.ID, List: p.List, Email: p.Email, Name: p.Name, Attributes: p.Attributes,
				OpenTracking: tracking && p.OpenTracking, ClickTracking: tracking && p.ClickTracking,
			}, m.lists[p.List].name)
			made, err := m.template.Render(vars, liquid.DefaultLimits)
			return preflight.Message{Subject: made.Subject, HTML: made.HTML, Text: made.Text, UnsubscribeURL: vars.UnsubscribeURL}, err
		},
	}, nil
}

// preflight is what speaks against a start, as the API and the dashboard show it.
func (e *Engine) preflight(ctx context.Context, account domain.ID, s campaign.Settings, links bool) ([]api.PreflightFinding, error) {
	report, err := e.checker.Check(ctx, account, s, links)
	out := make([]api.PreflightFinding, len(report))
	for i, f := range report {
		out[i] = api.PreflightFinding{Code: f.Code, Level: string(f.Level), Text: f.Text, Details: f.Details}
	}
	return out, err
}

func (e *Engine) findings(ctx context.Context, account domain.ID, s campaign.Settings) ([]web.Finding, error) {
	report, err := e.checker.Check(ctx, account, s, false)
	out := make([]web.Finding, len(report))
	for i, f := range report {
		out[i] = web.Finding{Code: f.Code, Level: string(f.Level), Text: f.Text, Details: f.Details}
	}
	return out, err
}

// blocked is what keeps a scheduled campaign from starting.
func (e *Engine) blocked(ctx context.Context, account domain.ID, s campaign.Settings) ([]string, error) {
	report, err := e.checker.Check(ctx, account, s, false)
	return report.Blocked(), err
}

// membership is the audience, as preflight asks for it.
type membership struct {
	permissions
	head func(context.Context) (event.Position, error)
}

// Current implements preflight.Audience.
func (m membership) Current(ctx context.Context) error {
	at, err := m.head(ctx)
	if err != nil {
		return err
	}
	return m.WaitFor(ctx, at)
}

// Lists implements preflight.Audience.
func (m membership) Lists(ctx context.Context, account domain.ID, ids []domain.ID) ([]audience.List, error) {
	var out []audience.List
	for _, id := range ids {
		l, found, err := audience.FindList(ctx, m.reader(), account, id)
		if err != nil {
			return nil, err
		}
		if found {
			out = append(out, l)
		}
	}
	return out, nil
}
