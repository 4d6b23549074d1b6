package engine

import (
	"context"
	"fmt"

	"github.com/cleversender/cleversender/adapters/address"
	"github.com/cleversender/cleversender/adapters/keyring"
	"github.com/cleversender/cleversender/adapters/readmodel"
	"github.com/cleversender/cleversender/adapters/sending"
	"github.com/cleversender/cleversender/adapters/sending/outbox"
	"github.com/cleversender/cleversender/commands"
	"github.com/cleversender/cleversender/domain"
	"github.com/cleversender/cleversender/domain/event"
	"github.com/cleversender/cleversender/domain/message"
	"github.com/cleversender/cleversender/domain/personal"
	"github.com/cleversender/cleversender/projections/messages"
)

// newOutbox wires the worker for messages outside campaigns: it shares its way
// out, and its limits, with the campaigns.
func (e *Engine) newOutbox(s sending.Options) *outbox.Outbox {
	return outbox.New(outbox.Options{
		Journal: e.Journal, Backlog: backlog{e.Models}, Compose: e.composer.letter, Transport: s.Transport, Limits: s.Limits,
		Logger: s.Logger, Connections: s.Connections,
	})
}

// backlog is the messages, as the outbox asks for them.
type backlog struct{ *readmodel.Host }

// WaitFor implements outbox.Backlog.
func (b backlog) WaitFor(ctx context.Context, at event.Position) error {
	return b.Host.WaitFor(ctx, messages.Projection.Name, at)
}

// Open implements outbox.Backlog.
func (b backlog) Open(ctx context.Context, after domain.ID, limit int) ([]messages.Message, error) {
	return messages.Open(ctx, b.Reader(messages.Projection.Name), after, limit)
}

var errOtherAddressee = domain.Refuse("idempotency_key_reused", "the message goes to somebody else: use another idempotency key")

// requestMessage asks for a message to m.To, which may be anybody's address:
// its owner is a person that the account holds from then on. Nothing is
// recorded of a message that cannot be made.
func (e *Engine) requestMessage(ctx context.Context, req commands.Request, id domain.ID, m message.Requested) (commands.Done, error) {
	raw, _ := m.To.Reveal()
	plain, normal, err := address.Forms(raw)
	if err != nil {
		return commands.Done{}, err
	}
	m.To = personal.Of(plain)
	earlier, err := e.Journal.Load(ctx, message.Stream(id))
	if err != nil {
		return commands.Done{}, fmt.Errorf("load message: %w", err)
	}
	if len(earlier) == 0 {
		if m, err = e.composer.frozen(ctx, req.Account, id, m); err != nil {
			return commands.Done{}, err
		}
		whoever := commands.RequestMessage{Message: id, Person: id, Request: m}
		if _, err := whoever.Decide(message.Message{}); err != nil {
			return commands.Done{}, err
		}
	}
	found, err := e.Keys.Reserve(ctx, req.Account, []string{normal})
	switch {
	case err != nil:
		return commands.Done{}, err
	case found[0].Suppressed:
		return commands.Done{}, keyring.ErrAddressSuppressed
	case len(earlier) > 0 && earlier[0].Meta.Subject != found[0].Person:
		return commands.Done{}, errOtherAddressee
	}
	person := found[0].Person
	if _, err := commands.Handle(ctx, e.Journal, req, commands.AddAddressee{Person: person, Email: m.To}); err != nil {
		return commands.Done{}, err
	}
	return commands.Handle(ctx, e.Journal, req, commands.RequestMessage{Message: id, Person: person, Request: m})
}
