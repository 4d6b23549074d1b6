package csvimport

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"golang.org/x/sync/errgroup"

	"github.com/cleversender/cleversender/adapters/eventlog"
	"github.com/cleversender/cleversender/commands"
	"github.com/cleversender/cleversender/domain"
	"github.com/cleversender/cleversender/domain/contactimport"
	"github.com/cleversender/cleversender/domain/event"
	"github.com/cleversender/cleversender/domain/personal"
	"github.com/cleversender/cleversender/domain/subscriber"
)

const (
	attempts   = 5 // at a stream that somebody else writes to, too
	maxAppend  = 8 // events: of the largest rows, still within the limits of one append
	loadAtOnce = 4
)

// outcome is what came of one row.
type outcome uint8

const (
	unchanged outcome = iota
	added
	updated
	suppressed
	rejected
)

// person is the rows of one person in a chunk: a second row sees the first.
type person struct {
	id     domain.ID
	known  bool // the stream may hold events
	rows   []int32
	state  subscriber.Subscriber
	held   uint64 // events in the stream
	drafts []event.Draft
}

// batch is a chunk by person.
type batch struct {
	*chunk
	people   []person
	index    map[domain.ID]int32
	outcomes []outcome
	codes    map[int]string // of rejected rows
	done     chan error     // one value, once everything is durable
}

func newBatch(c *chunk) *batch {
	b := &batch{c, make([]person, 0, len(c.rows)), make(map[domain.ID]int32, len(c.rows)), make([]outcome, len(c.rows)), nil, make(chan error, 1)}
	lines := make([]int32, len(c.rows))
	for i, r := range c.reserved {
		if r.Suppressed {
			b.outcomes[i] = suppressed
			continue
		}
		k, seen := b.index[r.Person]
		if seen {
			b.people[k].rows = append(b.people[k].rows, int32(i))
			continue
		}
		lines[i] = int32(i)
		b.index[r.Person] = int32(len(b.people))
		b.people = append(b.people, person{id: r.Person, known: r.Known, rows: lines[i : i+1 : i+1]})
	}
	return b
}

// touches reports whether b concerns a person whom other concerns, too.
func (b *batch) touches(other *batch) bool {
	for i := range b.people {
		if _, both := other.index[b.people[i].id]; both && b.people[i].known {
			return true
		}
	}
	return false
}

// writer decides rows and appends what they come to.
type writer struct {
	log Log
	opt Options
	req commands.Request
}

// write makes a batch durable.
func (w *writer) write(ctx context.Context, b *batch) error {
	todo := make([]*person, len(b.people))
	var known []*person
	for i := range b.people {
		todo[i] = &b.people[i]
		if todo[i].known {
			known = append(known, todo[i])
		}
	}
	for range attempts {
		if err := w.load(ctx, known); err != nil {
			return err
		}
		lost, err := w.append(ctx, b, todo)
		if err != nil || len(lost) == 0 {
			return err
		}
		todo, known = lost, lost
	}
	return fmt.Errorf("import %s: %w", w.opt.Import, domain.ErrConflict)
}

// load reads what people's streams hold.
func (w *writer) load(ctx context.Context, people []*person) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(loadAtOnce)
	for _, p := range people {
		group.Go(func() error { return w.loadOne(ctx, p) })
	}
	return group.Wait()
}

func (w *writer) loadOne(ctx context.Context, p *person) error {
	past, err := w.log.Load(ctx, subscriber.Stream(p.id))
	if err != nil {
		return fmt.Errorf("load subscriber %s: %w", p.id, err)
	}
	if len(past) > 0 && past[0].Meta.Account != w.opt.Account {
		return fmt.Errorf("subscriber %s belongs to another account", p.id)
	}
	p.state, p.held = subscriber.Subscriber{}, uint64(len(past))
	for _, e := range past {
		p.state = p.state.Evolve(e.Data.(subscriber.Event))
	}
	return nil
}

// append decides and writes; lost are those whose stream changed meanwhile.
func (w *writer) append(ctx context.Context, b *batch, people []*person) (lost []*person, err error) {
	writes, owners := make([]eventlog.Write, 0, len(people)), make([]*person, 0, len(people))
	for _, p := range people {
		w.decide(b, p)
		at, drafts := p.held, p.drafts
		for len(drafts) > 0 {
			n := min(len(drafts), maxAppend)
			writes = append(writes, eventlog.Write{Stream: subscriber.Stream(p.id), Expect: at, Events: drafts[:n]})
			owners = append(owners, p)
			at, drafts = at+uint64(n), drafts[n:]
		}
	}
	if len(writes) == 0 {
		return nil, nil
	}
	_, errs := w.log.AppendBulk(ctx, writes)
	for i, err := range errs {
		p, refusal := owners[i], domain.Refusal{}
		switch {
		case err == nil:
		case errors.Is(err, domain.ErrConflict):
			if len(lost) == 0 || lost[len(lost)-1] != p {
				lost = append(lost, p)
			}
		case errors.As(err, &refusal):
			w.refuse(b, p, refusal)
		default:
			return nil, fmt.Errorf("append to %s: %w", writes[i].Stream, err)
		}
	}
	return lost, nil
}

// decide runs a person's rows one after the other.
func (w *writer) decide(b *batch, p *person) {
	p.drafts = nil
	for _, i := range p.rows {
		r := &b.rows[i]
		cmd := commands.ImportSubscriber{
			Person: p.id, Email: personal.Of(r.email), Name: r.name, Attributes: r.attributes,
			List: w.opt.List, Purposes: w.opt.Purposes, Import: w.opt.Import, Row: r.line, ClaimedAt: r.claimed,
		}
		decided, err := cmd.Decide(p.state)
		refusal := domain.Refusal{}
		switch {
		case errors.As(err, &refusal):
			b.refuse(int(i), refusal)
			continue
		case len(decided) == 0:
			b.outcomes[i] = unchanged
			continue
		case p.state.Exists:
			b.outcomes[i] = updated
		default:
			b.outcomes[i] = added
		}
		drafts := commands.Drafts(w.req, cmd, decided, p.held+uint64(len(p.drafts)))
		if p.drafts == nil {
			p.drafts = drafts
		} else {
			p.drafts = append(p.drafts, drafts...)
		}
		if len(p.rows) > 1 {
			for _, e := range decided {
				p.state = p.state.Evolve(e)
			}
		}
	}
}

// refuse notes that the log itself would not take a person's events.
func (w *writer) refuse(b *batch, p *person, refusal domain.Refusal) {
	for _, i := range p.rows {
		b.refuse(int(i), refusal)
	}
}

func (b *batch) refuse(i int, refusal domain.Refusal) {
	if refusal.Code == commands.ErrErased.(domain.Refusal).Code {
		b.outcomes[i] = suppressed
		return
	}
	b.outcomes[i] = rejected
	if b.codes == nil {
		b.codes = map[int]string{}
	}
	b.codes[i] = refusal.Code
}

// settle counts what came of the rows, and lists all that were left out.
func (b *batch) settle(list domain.ID) {
	counts := &b.at.Counts
	counts.Rejected = len(b.chunk.rejected)
	for i, o := range b.outcomes {
		switch o {
		case added:
			counts.Added++
		case updated:
			counts.Updated++
		case unchanged:
			counts.Unchanged++
		case suppressed:
			counts.Suppressed++
		case rejected:
			counts.Rejected++
			b.chunk.rejected = append(b.chunk.rejected, contactimport.RejectedRow{Line: b.rows[i].line, Code: b.codes[i]})
		}
	}
	for i := range b.people {
		if p := &b.people[i]; p.state.HeldBack(list) != "" {
			counts.HeldBack += len(p.rows)
		}
	}
	slices.SortStableFunc(b.chunk.rejected, func(x, y contactimport.RejectedRow) int { return x.Line - y.Line })
}
