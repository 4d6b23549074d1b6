package group

import (
	"time"

	"github.com/cleversender/cleversender/adapters/eventlog"
	"github.com/cleversender/cleversender/domain"
	"github.com/cleversender/cleversender/domain/event"
)

// Store is what a plan asks of the database.
type Store interface {
	// Length is how many events a stream holds.
	Length(stream string) (uint64, error)
	// Held returns the events of a stream from one revision to another, both
	// included, as many as there are.
	Held(stream string, from, to uint64) ([]Place, error)
}

// Place says where an event is.
type Place struct {
	ID       domain.ID
	Position event.Position
}

// A Plan is what one transaction writes.
type Plan[E any] struct {
	Head    event.Position // of the last event, planned ones included
	Runs    []Run[E]
	Events  int // in Runs
	Bytes   int // of their data
	Refused int // appends that conflicted

	store   Store
	trust   bool
	streams map[string]*stream
}

type stream struct {
	stored uint64 // events in the database
	length uint64 // planned ones included
	runs   []int  // planned
}

// Run is events of one append that are to be written.
type Run[E any] struct {
	Item     *Item[E]
	Known    int            // how many of the item's events, from the first, the log holds already
	Position event.Position // of the first that it does not
}

// Revision is that of the run's first event.
func (r *Run[E]) Revision() uint64 { return r.Item.Append.Expect + 1 + uint64(r.Known) }

// Events are those that are to be written.
func (r *Run[E]) Events() []event.Stored { return r.Item.Append.Events[r.Known:] }

// NewPlan makes a plan of a log that ends at head. With trust, an append that
// expects a new stream is taken at its word; whoever writes the plan finds out
// that it was wrong, and makes another without.
func NewPlan[E any](s Store, head event.Position, trust bool) *Plan[E] {
	return &Plan[E]{store: s, Head: head, trust: trust, streams: map[string]*stream{}}
}

// Add plans an append and sets its result. A conflict is the append's own; a
// fault ends the transaction.
func (p *Plan[E]) Add(it *Item[E]) (fault error) {
	it.Result, it.Err = eventlog.Result{}, nil
	a := &it.Append
	s, fault := p.stream(a)
	if fault != nil {
		return fault
	}
	var held []Place
	last := a.Expect + uint64(len(a.Events))
	if s.length > a.Expect {
		if held, fault = p.held(a.Stream, s, a.Expect+1, last); fault != nil {
			return fault
		}
	}
	ids := make([]domain.ID, len(held))
	for i := range held {
		ids[i] = held[i].ID
	}
	known, err := a.Settle(s.length, ids)
	if err != nil {
		p.Refused++
		it.Err = err
		return nil
	}
	if known == len(a.Events) {
		it.Result = eventlog.Result{Position: held[known-1].Position, Revision: last}
		return nil
	}
	s.runs = append(s.runs, len(p.Runs))
	s.length = last
	p.Runs = append(p.Runs, Run[E]{it, known, p.Head + 1})
	p.Head += event.Position(len(a.Events) - known)
	p.Events += len(a.Events) - known
	for k := range a.Events[known:] {
		p.Bytes += len(a.Events[known+k].Data)
	}
	it.Result = eventlog.Result{Position: p.Head, Revision: last}
	return nil
}

func (p *Plan[E]) stream(a *eventlog.Append) (*stream, error) {
	if s := p.streams[a.Stream]; s != nil {
		return s, nil
	}
	s := &stream{}
	if a.Expect > 0 || !p.trust {
		n, err := p.store.Length(a.Stream)
		if err != nil {
			return nil, err
		}
		s.stored, s.length = n, n
	}
	p.streams[a.Stream] = s
	return s, nil
}

// held is the store's, planned events included.
func (p *Plan[E]) held(name string, s *stream, from, to uint64) ([]Place, error) {
	var out []Place
	if from <= s.stored {
		var err error
		if out, err = p.store.Held(name, from, to); err != nil {
			return nil, err
		}
	}
	for _, i := range s.runs {
		r := &p.Runs[i]
		for k, e := range r.Events() {
			if rev := r.Revision() + uint64(k); rev >= from && rev <= to {
				out = append(out, Place{e.ID, r.Position + event.Position(k)})
			}
		}
	}
	return out, nil
}

// Commit describes the transaction that wrote the plan.
func (p *Plan[E]) Commit(began time.Time) Commit {
	return Commit{len(p.Runs), p.Events, p.Refused, p.Bytes, time.Since(began)}
}

// Stored returns the planned events as the log gives them back.
func (p *Plan[E]) Stored() []event.Stored {
	out := make([]event.Stored, 0, p.Events)
	for i := range p.Runs {
		r := &p.Runs[i]
		n := len(out)
		out = append(out, r.Events()...)
		for k := range out[n:] {
			e := &out[n+k]
			e.Stream, e.Revision, e.Position = r.Item.Append.Stream, r.Revision()+uint64(k), r.Position+event.Position(k)
		}
	}
	return out
}
