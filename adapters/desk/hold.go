package desk

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/cleversender/cleversender/commands"
	"github.com/cleversender/cleversender/domain"
	"github.com/cleversender/cleversender/domain/consent"
	"github.com/cleversender/cleversender/domain/subscriber"
)

// restrict keeps the person's data and stops its use (GDPR Art. 18).
func (d *Desk) restrict(ctx context.Context, t Task) error {
	_, err := commands.Handle(ctx, d.o.Journal, t.request("restrict"), commands.RestrictSubscriber{Person: t.Person, Request: t.Request})
	return d.held(ctx, t, subscriber.Restriction, err)
}

// object ends all marketing (GDPR Art. 21(3)).
func (d *Desk) object(ctx context.Context, t Task) error {
	_, err := commands.Handle(ctx, d.o.Journal, t.request("object"), commands.ObjectSubscriber{
		Person: t.Person, Request: t.Request, Method: consent.ByDataRequest,
	})
	return d.held(ctx, t, subscriber.Objection, err)
}

// held records from which event it holds: that of another request, when one
// came first. Of who is erased nothing is used at all: the redaction settles it.
func (d *Desk) held(ctx context.Context, t Task, hold subscriber.Hold, refused error) error {
	if refused != nil && !errors.Is(refused, commands.ErrErased) {
		return refused
	}
	past, err := d.o.Journal.Load(ctx, subscriber.Stream(t.Person))
	if err != nil {
		return fmt.Errorf("load the person: %w", err)
	}
	var from domain.ID
	for _, e := range slices.Backward(past) {
		h, begins := subscriber.Change(e.Data)
		if _, erased := e.Data.(subscriber.Erased); erased || begins && h == hold {
			from = e.ID
			break
		}
	}
	_, err = commands.Handle(ctx, d.o.Journal, t.request("held"), commands.FulfilHold{Request: t.Request, Person: t.Person, Hold: from})
	return err
}
