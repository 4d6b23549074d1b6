package logtest

import (
	"context"
	"errors"
	"math"
	"slices"
	"time"

	"github.com/cleversender/cleversender/adapters/eventlog"
	"github.com/cleversender/cleversender/domain"
	"github.com/cleversender/cleversender/domain/event"
)

var reading = []promise{
	{"events come back as they were given", false, func(f *fixture) {
		events := []event.Stored{
			{
				ID: ID(1), Type: "thing.happened", Version: 1, At: time.Date(2026, 1, 2, 3, 4, 5, 678901000, time.UTC),
				Meta: event.Meta{Account: ID(2), Subject: ID(3), Actor: ID(4), Correlation: ID(5), Causation: ID(6)},
				Data: []byte(`{"name":"Søren \u0000 ☃"}`),
			},
			{ID: ID(7), Type: "thing.happened", Version: 2, At: time.Date(1969, 12, 31, 0, 0, 0, 0, time.UTC), Data: []byte("\x00\xff\x80 not JSON")},
			{ID: ID(8), Type: "émigré", Version: math.MaxInt32, At: time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC), Meta: event.Meta{Causation: ID(9)}, Data: []byte("{}")},
			{ID: ID(10), Type: "x", Version: 1, At: time.UnixMicro(1).UTC(), Meta: event.Meta{Subject: ID(1), Correlation: ID(9), Causation: ID(9)}, Data: []byte("[]")},
		}
		given := slices.Clone(events)
		f.append("other", 0, Events("other", 1))
		f.append("a stream / ünlike % others", 0, events)
		places := f.places()
		for i := range given {
			given[i].Stream, given[i].Revision, given[i].Position = "a stream / ünlike % others", uint64(i+1), places[i+2]
		}
		check := func(when string) {
			f.equal(when+", by stream", f.stream("a stream / ünlike % others"), given)
			f.equal(when+", by following", f.caughtUp(places[1], nil, 10), given)
			at, err := f.log.ReadAt(f.Context(), places[2:])
			if err != nil {
				f.Fatal(err)
			}
			f.equal(when+", by position", at, given)
		}
		check("at once")
		if f.adapter.Durable {
			f.reopen()
			check("opened again")
		}
	}},
	{"a stream is read in batches from any place", false, func(f *fixture) {
		events := Events("s", 23)
		for i := 0; i < len(events); i += 4 { // runs that no batch matches
			f.append("s", uint64(i), events[i:min(i+4, len(events))])
			f.append("other", uint64(i/4), Events(ID(uint64(i)).String(), 1))
		}
		for skip := range len(events) + 2 {
			for _, batch := range []int{1, 3, 4, 5, 23, 100} {
				var got []event.Stored
				for events, err := range f.log.ReadStream(f.Context(), "s", uint64(skip), batch) {
					if err != nil {
						f.Fatal(err)
					}
					if len(events) > batch {
						f.Errorf("%d events in a batch of %d", len(events), batch)
					}
					got = append(got, events...)
				}
				f.equal("events", ids(got), ids(events[min(skip, len(events)):]))
			}
		}
	}},
	{"a stream that does not exist has no events", false, func(f *fixture) {
		f.append("s", 0, Events("s", 1))
		for _, name := range []string{"", "t", "S", "s "} {
			f.equal(name, len(f.stream(name)), 0)
		}
	}},
	{"reading may stop early, and begin again", false, func(f *fixture) {
		f.append("s", 0, Events("s", 10))
		stream, log := f.log.ReadStream(f.Context(), "s", 0, 2), f.log.Follow(f.Context(), 0, nil, 2)
		for range 2 {
			for events, err := range stream {
				f.equal("batch", ids(events), ids(Events("s", 2)))
				f.equal("error", err, nil)
				break
			}
			for page, err := range log {
				f.equal("page", ids(page.Events), ids(Events("s", 2)))
				f.equal("error", err, nil)
				break
			}
		}
		f.append("s", 10, Events("t", 1))
	}},
	{"events are read by position, in log order, gaps left out", false, func(f *fixture) {
		events := Events("s", 1200)
		f.append("s", 0, events)
		places := f.places()
		beyond := places[1200] + 3800
		at, err := f.log.ReadAt(f.Context(), []event.Position{places[1200], 0, places[3], beyond, places[1], places[3]})
		if err != nil {
			f.Fatal(err)
		}
		f.equal("events", ids(at), ids([]event.Stored{events[0], events[2], events[1199]}))
		for n := range event.Position(100) {
			places = append(places, beyond+n)
		}
		if at, err = f.log.ReadAt(f.Context(), places); err != nil {
			f.Fatal(err)
		}
		f.equal("all", ids(at), ids(events))
		if at, err = f.log.ReadAt(f.Context(), nil); err != nil || len(at) > 0 {
			f.Errorf("none: %d events, error %v", len(at), err)
		}
	}},
	{"large events are all read", false, func(f *fixture) {
		var positions []event.Position
		for i := range 12 { // more than fits any page
			events := Events(ID(uint64(i)).String(), 1)
			events[0].Data = make([]byte, eventlog.MaxAppendBytes)
			positions = append(positions, f.append("s", uint64(i), events).Position)
		}
		f.equal("by stream", len(f.stream("s")), 12)
		f.equal("by following", len(f.caughtUp(0, nil, 100)), 12)
		at, err := f.log.ReadAt(f.Context(), positions)
		if err != nil {
			f.Fatal(err)
		}
		f.equal("by position", len(at), 12)
		if f.adapter.Durable {
			f.reopen()
			f.equal("by following, opened again", len(f.caughtUp(0, nil, 100)), 12)
			f.equal("by type, opened again", len(f.caughtUp(0, []string{"thing.happened"}, 100)), 12)
		}
	}},
}

var lasting = []promise{
	{"opened again it holds what it held", true, func(f *fixture) {
		events := Events("s", 10)
		first := f.append("s", 0, events)
		f.reopen()
		f.equal("head", f.head(), first.Position)
		f.equal("stream", ids(f.stream("s")), ids(events))
		f.equal("retry", f.append("s", 0, events), first)
		f.refused(domain.ErrConflict, eventlog.Append{Stream: "s", Events: Events("other", 1)})
		f.equal("next", f.append("s", 10, Events("more", 1)).Position, f.at(11))
	}},
	{"a type first seen beside a conflict is kept", true, func(f *fixture) {
		f.append("s", 0, Events("s", 1))
		events := Events("new", 1)
		events[0].Type = "new.happened"
		_, errs := f.log.AppendBulk(f.Context(), []eventlog.Append{{Stream: "new", Events: events}, {Stream: "s", Events: Events("late", 1)}})
		if errs[0] != nil || !errors.Is(errs[1], domain.ErrConflict) {
			f.Fatalf("errors: %v", errs)
		}
		f.reopen()
		f.equal("type", f.stream("new")[0].Type, "new.happened")
	}},
	{"a follower goes on where it was, in a log opened again", true, func(f *fixture) {
		events := Events("s", 10)
		f.append("s", 0, events)
		var after event.Position
		for page, err := range f.log.Follow(f.Context(), 0, nil, 4) {
			if err != nil {
				f.Fatal(err)
			}
			after = page.Next
			break
		}
		f.reopen()
		f.equal("rest", ids(f.caughtUp(after, nil, 4)), ids(events[4:]))
	}},
	{"closing writes what was accepted, and refuses the rest", false, func(f *fixture) {
		f.append("s", 0, Events("s", 1))
		if err := f.log.Close(); err != nil {
			f.Fatal(err)
		}
		f.refused(eventlog.ErrClosed, eventlog.Append{Stream: "s", Expect: 1, Events: Events("t", 1)})
		if err := f.log.Close(); err != nil {
			f.Errorf("closed again: %v", err)
		}
	}},
	{"an append whose context has ended fails", false, func(f *fixture) {
		ctx, cancel := context.WithCancel(f.Context())
		cancel()
		if _, err := f.log.Append(ctx, eventlog.Append{Stream: "s", Events: Events("s", 1)}); !errors.Is(err, context.Canceled) {
			f.Errorf("error %v", err)
		}
	}},
}
