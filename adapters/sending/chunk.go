package sending

import (
	"context"
	"errors"
	"fmt"

	"github.com/cleversender/cleversender/adapters/eventlog"
	"github.com/cleversender/cleversender/commands"
	"github.com/cleversender/cleversender/domain"
	"github.com/cleversender/cleversender/domain/delivery"
	"github.com/cleversender/cleversender/domain/event"
	"github.com/cleversender/cleversender/domain/personal"
	"github.com/cleversender/cleversender/domain/subscriber"
	"github.com/cleversender/cleversender/projections/audience"
)

// candidate is a recipient and what they allow.
type candidate struct {
	delivery.Recipient
	audience.Permission
}

// send gives one chunk its turn: intents, barrier, transmission, results. What
// was intended and has not left when live ends, or something fails, is recorded
// as such.
func (g *segment) send(live context.Context, turn []delivery.Recipient, probe bool) error {
	chunk, err := g.permitted(live, turn)
	if err != nil || len(chunk) == 0 {
		return g.unlessOver(live, err)
	}
	at, err := g.intend(chunk)
	if err != nil {
		return err
	}
	to, err := g.barrier(live, at, chunk)
	if err != nil {
		return errors.Join(g.unlessOver(live, err), g.recall(chunk))
	}
	return g.post(live, to, probe)
}

// unlessOver: an error that comes of the end of live alone is none.
func (g *segment) unlessOver(live context.Context, err error) error {
	if live.Err() != nil && g.ctx.Err() == nil && errors.Is(err, live.Err()) {
		return nil
	}
	return err
}

// intend makes it durable that these messages are about to leave.
func (g *segment) intend(chunk []candidate) (event.Position, error) {
	sends := make([]delivery.Intended, len(chunk))
	for i, c := range chunk {
		sends[i] = delivery.Intended{Person: c.Person, Campaign: g.Campaign, Ordinal: c.Ordinal, Consent: c.Consent}
	}
	return g.do("intend a chunk", commands.IntendSends{
		Campaign: g.Campaign, Segment: g.number, Worker: g.worker, Sends: sends,
	})
}

// barrier waits until the view of the audience has passed the intents, asks
// again, and gives those who are still to be mailed, in the clear.
func (g *segment) barrier(live context.Context, at event.Position, chunk []candidate) ([]Recipient, error) {
	err := g.sender.persist(live, "wait for the audience", func() error { return g.sender.o.Audience.WaitFor(live, at) })
	if err != nil {
		return nil, err
	}
	turn := make([]delivery.Recipient, len(chunk))
	for i, c := range chunk {
		turn[i] = c.Recipient
	}
	if chunk, err = g.permitted(live, turn); err != nil {
		return nil, err
	}
	if chunk, err = g.opened(live, chunk); err != nil {
		return nil, err
	}
	return g.reveal(chunk)
}

// opened makes the chunk's data plain. After a few attempts it asks for each
// person alone, and leaves out who cannot be opened when others can.
func (g *segment) opened(live context.Context, chunk []candidate) (good []candidate, err error) {
	attempts := 0
	err = g.sender.persist(live, "open a chunk", func() error {
		err := g.open(live, chunk)
		if good = chunk; err == nil {
			return nil
		}
		if attempts++; attempts < 4 {
			return err
		}
		var bad []delivery.Event
		good = nil
		for _, c := range chunk {
			one := []candidate{c}
			if failed := g.open(live, one); failed != nil {
				g.sender.o.Logger.Error("sending: a recipient's data cannot be opened", "campaign", g.Campaign, "person", c.Person, "error", failed)
				bad = append(bad, g.state().Judge(c.Recipient, delivery.Reply{Outcome: delivery.NotMade}, 1))
				continue
			}
			good = append(good, one...)
		}
		if len(good) == 0 {
			return err
		}
		return g.record(bad)
	})
	return good, err
}

// permitted asks the audience, and withholds whoever may not be mailed.
func (g *segment) permitted(ctx context.Context, turn []delivery.Recipient) ([]candidate, error) {
	people := make([]domain.ID, len(turn))
	for i, r := range turn {
		people[i] = r.Person
	}
	var allowed []audience.Permission
	if err := g.sender.persist(ctx, "ask who may be mailed", func() (err error) {
		allowed, err = g.sender.o.Audience.Permissions(ctx, g.Account, g.Settings.Lists, people)
		if err == nil && len(allowed) != len(people) {
			err = fmt.Errorf("asked about %d people, told about %d", len(people), len(allowed))
		}
		return err
	}); err != nil {
		return nil, err
	}
	chunk := make([]candidate, 0, len(turn))
	var withheld []delivery.Withheld
	for i, p := range allowed {
		if p.Withhold != "" {
			withheld = append(withheld, g.withheld(turn[i], p.Withhold))
			continue
		}
		chunk = append(chunk, candidate{turn[i], p})
	}
	return chunk, g.withhold(withheld)
}

// open makes what the chunk's people told us plain.
func (g *segment) open(ctx context.Context, chunk []candidate) error {
	values := make([]eventlog.SealedValue, 0, 3*len(chunk))
	for i := range chunk {
		c := &chunk[i]
		sealed := eventlog.SealedValue{
			Account: g.Account, Subject: c.Person, Event: c.SealedBy, Stream: subscriber.Stream(c.Person), Class: personal.Identity,
		}
		email, name, attributes := sealed, sealed, sealed
		email.Field, email.Value = "email", &c.Email
		name.Field, name.Value = "name", &c.Name
		attributes.Field, attributes.Value = "attributes", &c.Attributes
		values = append(values, email, name, attributes)
	}
	return g.sender.o.Journal.OpenValues(ctx, values)
}

// reveal gives the chunk in the clear, and withholds whoever has been erased meanwhile.
func (g *segment) reveal(chunk []candidate) ([]Recipient, error) {
	to := make([]Recipient, 0, len(chunk))
	var withheld []delivery.Withheld
	for _, c := range chunk {
		email, ok := c.Email.Reveal()
		if !ok {
			withheld = append(withheld, g.withheld(c.Recipient, delivery.Erased))
			continue
		}
		name, _ := c.Name.Reveal()
		attributes, _ := c.Attributes.Reveal()
		to = append(to, Recipient{
			Person: c.Person, Ordinal: c.Ordinal, List: c.List, Email: email, Name: name, Attributes: attributes,
			OpenTracking: c.OpenTracking, ClickTracking: c.ClickTracking,
		})
	}
	return to, g.withhold(withheld)
}
