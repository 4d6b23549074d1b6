package engine

import (
	"context"
	"io"
	"net/http"
	"time"

	"github.com/cleversender/cleversender/adapters/address"
	"github.com/cleversender/cleversender/adapters/api"
	"github.com/cleversender/cleversender/adapters/smtp/catcher"
	"github.com/cleversender/cleversender/adapters/web"
	"github.com/cleversender/cleversender/domain"
	"github.com/cleversender/cleversender/domain/event"
	"github.com/cleversender/cleversender/domain/template"
)

// dashboard wires the pages; mail is nil when mail really leaves.
func (e *Engine) dashboard(mail *catcher.Catcher) http.Handler {
	deps := web.Deps{
		Log: e.Journal, Models: e.Models, Freeze: e.composer.Freeze, Deliverable: e.deliverable, Held: e.held, Check: check,
		Preflight: e.findings,
		Find: func(ctx context.Context, account domain.ID, raw string) (domain.ID, bool, error) {
			_, normal, err := address.Forms(raw)
			if err != nil {
				return domain.ID{}, false, err
			}
			return e.Keys.Find(ctx, account, normal)
		},
		Import: func(ctx context.Context, job web.ImportJob, file io.Reader) error {
			return e.importFile(ctx, api.ImportJob{
				Import: job.Import, Account: job.Account, Actor: job.Actor, List: job.List,
				Purposes: job.Purposes, Source: job.Source,
			}, file)
		},
		Preview: func(ctx context.Context, c template.Content, s web.Sample) (web.Rendered, error) {
			m, err := e.preview(ctx, c, api.Sample{Email: s.Email, Name: s.Name, Attributes: s.Attributes})
			return web.Rendered(m), err
		},
		Bundle: func(ctx context.Context, account, person domain.ID, upTo event.Position) ([]byte, error) {
			b, err := e.Desk.Bundle(ctx, account, person, upTo)
			return b.JSON, err
		},
		RequestMessage: e.requestMessage, Now: time.Now, NewID: NewID, Logger: e.options.Logger, Secure: e.secure(),
	}
	if mail != nil {
		deps.Mailbox = mailbox{mail}
	}
	return web.New(deps)
}

// mailbox is the catcher, as the dashboard asks for it.
type mailbox struct{ *catcher.Catcher }

// Messages implements web.Mailbox.
func (m mailbox) Messages(before, limit int) []web.Caught {
	caught := m.Catcher.Messages(before, limit)
	out := make([]web.Caught, len(caught))
	for i, c := range caught {
		out[i] = web.Caught(c)
	}
	return out
}

// Message implements web.Mailbox.
func (m mailbox) Message(number int) (web.Caught, bool) {
	c, ok := m.Catcher.Message(number)
	return web.Caught(c), ok
}
