package sending

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/cleversender/cleversender/adapters/eventlog"
	"github.com/cleversender/cleversender/commands"
	"github.com/cleversender/cleversender/domain"
	"github.com/cleversender/cleversender/domain/delivery"
	"github.com/cleversender/cleversender/domain/event"
	"github.com/cleversender/cleversender/domain/personal"
	"github.com/cleversender/cleversender/domain/subscriber"
	"github.com/cleversender/cleversender/projections/audience"
)

// candidate is a recipient, what they allow, and, once opened, who they are.
type candidate struct {
	delivery.Recipient
	audience.Permission
	to     Recipient // in the clear
	closed bool      // what is held about them cannot be opened
}

// send gives one chunk its turn: permission, limits, intents, barrier,
// transmission, results. What was intended and has not left when live ends, or
// something fails, is recorded as such.
func (g *segment) send(live context.Context, turn []delivery.Recipient, probe bool) error {
	edition := g.sender.o.Audience.Edition()
	chunk, err := g.willing(live, turn)
	if err != nil {
		return g.unlessOver(live, err)
	}
	if chunk = g.admitted(chunk); len(chunk) == 0 {
		return nil
	}
	defer g.vacate()
	at, err := g.intend(chunk)
	if err != nil {
		return err
	}
	to, err := g.barrier(live, at, edition, chunk)
	if err != nil {
		return errors.Join(g.unlessOver(live, err), g.recall(chunk))
	}
	began := time.Now()
	err = g.post(live, to, probe)
	g.sender.stride.took(len(to), g.sender.o.Window, time.Since(began))
	return err
}

// willing is who of these may be mailed, in the clear. The others are withheld.
func (g *segment) willing(live context.Context, turn []delivery.Recipient) ([]candidate, error) {
	chunk, err := g.permitted(live, turn)
	if err != nil {
		return nil, err
	}
	if err := g.opened(live, chunk); err != nil {
		return nil, err
	}
	return g.reveal(chunk)
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
	sends := make([]commands.IntendedSend, len(chunk))
	for i, c := range chunk {
		sends[i] = commands.IntendedSend{Recipient: c.Recipient, Consent: c.Consent}
	}
	return g.do("intend a chunk", commands.IntendSends{
		Campaign: g.Campaign, Segment: g.number, Worker: g.worker, Sends: sends,
	})
}

// barrier waits until the view of the audience has passed the intents, and
// gives those who are still to be mailed. When nothing that the view says has
// changed since before it was first asked, it need not be asked again. Of whom
// anything was recorded meanwhile nothing leaves, even if they may be mailed
// again by now: their turn comes again.
func (g *segment) barrier(live context.Context, at event.Position, edition uint64, chunk []candidate) ([]candidate, error) {
	err := g.sender.persist(live, "wait for the audience", func() error { return g.sender.o.Audience.WaitFor(live, at) })
	if err != nil || g.sender.o.Audience.Edition() == edition {
		return chunk, err
	}
	turn, known := make([]delivery.Recipient, len(chunk)), make(map[int]event.Position, len(chunk))
	for i, c := range chunk {
		turn[i], known[c.Ordinal] = c.Recipient, c.Changed
	}
	now, err := g.willing(live, turn)
	if err != nil {
		return nil, err
	}
	var anew []candidate
	to := slices.DeleteFunc(now, func(c candidate) bool {
		if c.Changed == known[c.Ordinal] {
			return false
		}
		anew = append(anew, c)
		return true
	})
	return to, g.recall(anew)
}

// opened makes the chunk's data plain, in place. After a few attempts it asks
// for each person alone, and marks who cannot be opened when others can.
func (g *segment) opened(live context.Context, chunk []candidate) error {
	attempts := 0
	return g.sender.persist(live, "open a chunk", func() error {
		err := g.open(live, chunk)
		if attempts++; err == nil || attempts < 4 {
			return err
		}
		good := 0
		for i := range chunk {
			c := &chunk[i]
			failed := g.open(live, chunk[i:i+1])
			if c.closed = failed != nil; !c.closed {
				good++
				continue
			}
			g.sender.o.Logger.Error("sending: a recipient's data cannot be opened", "campaign", g.Campaign, "person", c.Person, "error", failed)
		}
		if good == 0 {
			return err
		}
		return nil
	})
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
		chunk = append(chunk, candidate{Recipient: turn[i], Permission: p})
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
func (g *segment) reveal(chunk []candidate) ([]candidate, error) {
	known := chunk[:0]
	var withheld []delivery.Withheld
	for _, c := range chunk {
		email, ok := c.Email.Reveal()
		if !ok && !c.closed {
			withheld = append(withheld, g.withheld(c.Recipient, delivery.Erased))
			continue
		}
		name, _ := c.Name.Reveal()
		attributes, _ := c.Attributes.Reveal()
		c.to = Recipient{
			Person: c.Person, Ordinal: c.Ordinal, List: c.List, Email: email, Name: name, Attributes: attributes,
			OpenTracking: c.OpenTracking, ClickTracking: c.ClickTracking,
		}
		known = append(known, c)
	}
	return known, g.withhold(withheld)
}
