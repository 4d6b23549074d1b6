package sqlite

import (
	"github.com/cleversender/cleversender/adapters/eventlog"
	"github.com/cleversender/cleversender/domain"
	"github.com/cleversender/cleversender/domain/event"
)

// store is what a plan asks of the database.
type store interface {
	// length is how many events a stream holds.
	length(stream string) (uint64, error)
	// held returns the events of a stream from one revision to another, both
	// included, as many as there are.
	held(stream string, from, to uint64) ([]place, error)
}

// place says where an event is.
type place struct {
	id       domain.ID
	position event.Position
}

// A plan is what one transaction writes.
type plan struct {
	store   store
	head    event.Position // of the last event, planned ones included
	trust   bool           // Expect 0 is taken to be true; the key of runs tells if it is not
	streams map[string]*stream
	runs    []run
	events  int
	bytes   int
	refused int
}

type stream struct {
	stored uint64 // events in the database
	length uint64 // planned ones included
	runs   []int  // planned
}

// run is events of one append that are to be written.
type run struct {
	stream    string
	revision  uint64         // of the first
	position  event.Position // of the first
	events    []event.Stored
	envelopes [][]byte
}

func newPlan(s store, head event.Position, trust bool) *plan {
	return &plan{store: s, head: head, trust: trust, streams: map[string]*stream{}}
}

// add plans an append. A conflict is the append's own; fault ends the transaction.
func (p *plan) add(a *eventlog.Append, envelopes [][]byte) (_ eventlog.Result, err, fault error) {
	s, fault := p.stream(a)
	if fault != nil {
		return eventlog.Result{}, nil, fault
	}
	var held []place
	if s.length > a.Expect {
		if held, fault = p.held(a.Stream, s, a.Expect+1, a.Expect+uint64(len(a.Events))); fault != nil {
			return eventlog.Result{}, nil, fault
		}
	}
	ids := make([]domain.ID, len(held))
	for i := range held {
		ids[i] = held[i].id
	}
	known, err := a.Settle(s.length, ids)
	if err != nil {
		p.refused++
		return eventlog.Result{}, err, nil
	}
	last := a.Expect + uint64(len(a.Events))
	if known == len(a.Events) {
		return eventlog.Result{Position: held[known-1].position, Revision: last}, nil, nil
	}
	s.runs = append(s.runs, len(p.runs))
	s.length = last
	p.runs = append(p.runs, run{
		a.Stream, a.Expect + 1 + uint64(known), p.head + 1, a.Events[known:], envelopes[known:],
	})
	p.head += event.Position(len(a.Events) - known)
	p.events += len(a.Events) - known
	return eventlog.Result{Position: p.head, Revision: last}, nil, nil
}

func (p *plan) stream(a *eventlog.Append) (*stream, error) {
	if s := p.streams[a.Stream]; s != nil {
		return s, nil
	}
	s := &stream{}
	if a.Expect > 0 || !p.trust {
		n, err := p.store.length(a.Stream)
		if err != nil {
			return nil, err
		}
		s.stored, s.length = n, n
	}
	p.streams[a.Stream] = s
	return s, nil
}

// held is the store's, planned events included.
func (p *plan) held(name string, s *stream, from, to uint64) ([]place, error) {
	var out []place
	if from <= s.stored {
		var err error
		if out, err = p.store.held(name, from, to); err != nil {
			return nil, err
		}
	}
	for _, i := range s.runs {
		r := &p.runs[i]
		for k := range r.events {
			if rev := r.revision + uint64(k); rev >= from && rev <= to {
				out = append(out, place{r.events[k].ID, r.position + event.Position(k)})
			}
		}
	}
	return out, nil
}

// stored returns the planned events as the log gives them back.
func (p *plan) stored() []event.Stored {
	out := make([]event.Stored, 0, p.events)
	for i := range p.runs {
		r := &p.runs[i]
		for k := range r.events {
			out = append(out, r.events[k])
			e := &out[len(out)-1]
			e.Stream, e.Revision, e.Position = r.stream, r.revision+uint64(k), r.position+event.Position(k)
		}
	}
	return out
}
