package desk

import (
	"context"
	"fmt"

	"github.com/cleversender/cleversender/commands"
	"github.com/cleversender/cleversender/domain"
	"github.com/cleversender/cleversender/domain/event"
	"github.com/cleversender/cleversender/domain/personal"
	"github.com/cleversender/cleversender/domain/subscriber"
)

func (d *Desk) erase(ctx context.Context, t Task) error {
	known := map[string]bool{}
	if _, err := d.forget(ctx, t, known); err != nil {
		return err
	}
	_, err := commands.Handle(ctx, d.o.Journal, t.request("erase"),
		commands.EraseSubscriber{Person: t.Person, Request: t.Request})
	if err != nil {
		return err
	}
	// An address that was given between the two is in the stream by now, and
	// none can follow.
	past, err := d.forget(ctx, t, known)
	if err != nil {
		return err
	}
	redaction := past[len(past)-1]
	if _, ok := redaction.Data.(subscriber.Erased); !ok {
		return fmt.Errorf("%s ends in %s", redaction.Stream, redaction.Type)
	}
	keys, err := d.destroy(ctx, t.Person, redaction.Position)
	if err != nil {
		return err
	}
	events, err := d.sealedEvents(ctx, t.Person, redaction.Position)
	if err != nil {
		return err
	}
	_, err = commands.Handle(ctx, d.o.Journal, t.request("erasure-fulfilled"), commands.FulfilErasure{
		Request: t.Request, Person: t.Person, Redaction: redaction.ID, Keys: keys, Events: events, Suppressed: true,
	})
	return err
}

// destroy takes steps 3 and 4.
func (d *Desk) destroy(ctx context.Context, person domain.ID, redaction event.Position) (keys int, err error) {
	if keys, err = d.o.Keys.Shred(ctx, person); err != nil {
		return 0, err
	}
	if err := d.o.Keys.Purge(ctx); err != nil {
		return 0, err
	}
	if err := d.o.Models.WaitAll(ctx, redaction); err != nil {
		return 0, fmt.Errorf("wait for the read models: %w", err)
	}
	if err := d.o.Models.Purge(ctx); err != nil {
		return 0, fmt.Errorf("purge the read models: %w", err)
	}
	return keys, nil
}

// forget suppresses every address in the person's stream that is not done yet,
// and returns the stream. Addresses whose key is gone were done before it went.
func (d *Desk) forget(ctx context.Context, t Task, done map[string]bool) ([]event.Recorded, error) {
	past, err := d.o.Journal.Load(ctx, subscriber.Stream(t.Person))
	if err != nil {
		return nil, fmt.Errorf("load the person: %w", err)
	}
	if len(past) == 0 || past[0].Meta.Account != t.Account {
		return nil, commands.ErrNotFound
	}
	for _, e := range past {
		text, _ := emailOf(e).Reveal()
		address, err := d.o.Normalise(text)
		if text == "" || err != nil || done[address] {
			continue
		}
		if err := d.o.Directory.Forget(ctx, t.Account, address, t.Person, true); err != nil {
			return nil, err
		}
		done[address] = true
	}
	return past, nil
}

func emailOf(e event.Recorded) personal.Text {
	switch e := e.Data.(type) {
	case subscriber.Added:
		return e.Email
	case subscriber.Rectified:
		return e.Email
	default:
		return personal.Text{}
	}
}

// sealedEvents counts the events that hold personal values of the person.
func (d *Desk) sealedEvents(ctx context.Context, person domain.ID, upTo event.Position) (n int, err error) {
	positions, err := d.o.Subjects(ctx, person, upTo)
	if err != nil {
		return 0, fmt.Errorf("subject index: %w", err)
	}
	events, err := d.o.Journal.ReadFor(ctx, person, positions)
	if err != nil {
		return 0, err
	}
	for _, e := range events {
		t, err := d.o.Catalog.TypeOf(e.Data)
		if err != nil {
			return 0, err
		}
		holds := false
		_, err = t.Visit(e.Data, func(_ event.Field, v personal.Value) error {
			holds = holds || !v.IsEmpty()
			return nil
		})
		if err != nil {
			return 0, err
		}
		if holds {
			n++
		}
	}
	return n, nil
}
