package eventstoredb

import (
	"context"
	"regexp"

	"github.com/EventStore/EventStore-Client-Go/v4/esdb"

	"github.com/cleversender/cleversender/domain/event"
)

// searchWindow is how many events the server looks at between two
// checkpoints; its own 32 would make more checkpoints than events.
const searchWindow = 4096

// arrival is what a subscription has brought since the last one.
type arrival struct {
	events   []event.Stored
	bytes    int
	next     event.Position // how far it has come
	caughtUp bool
	moved    bool // next is known
	due      bool // it is not kept back until it is full
}

func (a *arrival) full(most int) bool {
	return a.caughtUp || len(a.events) >= most || a.bytes >= pageBytes
}

// options asks for what follows a position: events of these types, or all but
// the system's when nil. The server compares prefixes.
func options(after event.Position, types map[string]bool) esdb.SubscribeToAllOptions {
	o := esdb.SubscribeToAllOptions{From: esdb.Start{}, MaxSearchWindow: searchWindow, CheckpointInterval: 1,
		Filter: &esdb.SubscriptionFilter{Type: esdb.EventFilterType}}
	if after > 0 {
		o.From = esdb.Position{Commit: uint64(after), Prepare: uint64(after)}
	}
	if types == nil {
		o.Filter.Type = esdb.StreamFilterType
		o.Filter.Regex = "^[^" + regexp.QuoteMeta("$") + "]"
	}
	for name := range types {
		o.Filter.Prefixes = append(o.Filter.Prefixes, name)
	}
	return o
}

// session is one subscription, from its beginning to its end, which the error
// says the reason of. It gives at most so many events at once: full pages
// until it has caught up, and from then on what has arrived.
func (l *Log) session(ctx context.Context, after event.Position, types map[string]bool, most int, out chan<- arrival) error {
	ctx, cancel := context.WithCancel(ctx)
	asked := types
	if l.known != nil { // the server cannot tell what is not known
		asked = nil
	}
	sub, seat, err := l.supervisor.subscribe(ctx, options(after, asked))
	if err != nil {
		cancel()
		return err
	}
	in := make(chan *esdb.SubscriptionEvent, 64)
	go func() {
		defer close(in)
		for {
			it := sub.Recv()
			select {
			case in <- it:
			case <-ctx.Done():
				return
			}
			if it.SubscriptionDropped != nil {
				return
			}
		}
	}()
	defer func() {
		cancel()
		for range in {
		}
		seat.leave()
	}()
	var now arrival
	live := false
	for err == nil || now.moved || now.caughtUp {
		from, to := in, out
		full := err != nil || now.full(most)
		if full {
			from = nil
		}
		if !full && !now.due && !(live && now.moved) {
			to = nil
		}
		select {
		case it := <-from:
			err = l.add(&now, it, types)
			live = live || now.caughtUp
		case to <- now:
			now = arrival{}
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	if broken(err) {
		l.supervisor.retire(seat)
	}
	return err
}

// add takes what has come into an arrival; an error says that it was the end.
func (l *Log) add(a *arrival, it *esdb.SubscriptionEvent, types map[string]bool) error {
	switch {
	case it == nil:
		return interrupted{errTimeout, true}
	case it.SubscriptionDropped != nil:
		return sorted(it.SubscriptionDropped.Error)
	case it.CaughtUp != nil:
		a.caughtUp = true
	case it.CheckPointReached != nil:
		a.next, a.moved, a.due = event.Position(it.CheckPointReached.Commit), true, true
	case it.EventAppeared != nil && it.EventAppeared.Event != nil:
		r := it.EventAppeared.Event
		a.next, a.moved = event.Position(r.Position.Commit), true
		wanted := types == nil || types[r.EventType]
		if systems(r) || !wanted && l.known == nil {
			return nil
		}
		e, err := decode(r)
		if err != nil {
			return err
		}
		if !wanted && !l.known.Strange(e.Type, e.Version) {
			return nil
		}
		a.events, a.bytes = append(a.events, e), a.bytes+len(e.Data)
		l.saw(e.Position)
	}
	return nil
}
