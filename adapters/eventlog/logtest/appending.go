package logtest

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"slices"
	"sync"

	"github.com/cleversender/cleversender/adapters/eventlog"
	"github.com/cleversender/cleversender/domain"
	"github.com/cleversender/cleversender/domain/event"
)

var appending = []promise{
	{"a stream grows by what is appended at its end", false, func(f *fixture) {
		first, second := Events("first", 2), Events("second", 1)
		f.equal("first result", f.append("s", 0, first), eventlog.Result{Position: f.head(), Revision: 2})
		f.equal("second result", f.append("s", 2, second), eventlog.Result{Position: f.head(), Revision: 3})
		f.equal("stream", ids(f.stream("s")), ids(slices.Concat(first, second)))
	}},
	{"an append at another place is a conflict and writes nothing", false, func(f *fixture) {
		f.append("s", 0, Events("first", 2))
		head := f.head()
		for _, expect := range []uint64{0, 1, 3} {
			f.refused(domain.ErrConflict, eventlog.Append{Stream: "s", Expect: expect, Events: Events("other", 1)})
		}
		f.refused(domain.ErrConflict, eventlog.Append{Stream: "unknown", Expect: 1, Events: Events("other", 1)})
		f.equal("head", f.head(), head)
	}},
	{"sent again it changes nothing and gives the same result", false, func(f *fixture) {
		events := Events("first", 3)
		first := f.append("s", 0, events)
		f.equal("second result", f.append("s", 0, events), first)
		f.equal("head", f.head(), first.Position)
	}},
	{"sent again after the stream has grown it gives the same result", false, func(f *fixture) {
		f.append("other", 0, Events("other", 1))
		events := Events("first", 3)
		first := f.append("s", 0, events)
		f.append("other", 1, Events("more", 1))
		f.append("s", 3, Events("second", 2))
		head := f.head()
		f.equal("result", f.append("s", 0, events), first)
		f.equal("head", f.head(), head)
	}},
	{"of an append known in part the rest is written", false, func(f *fixture) {
		events := Events("first", 5)
		f.append("s", 0, events[:2])
		f.append("other", 0, Events("other", 1))
		rest := f.append("s", 0, events)
		f.equal("result", rest, eventlog.Result{Position: f.head(), Revision: 5})
		f.equal("stream", ids(f.stream("s")), ids(events))
		f.equal("again", f.append("s", 0, events), rest)
	}},
	{"known in part and then grown otherwise is a conflict", false, func(f *fixture) {
		events := Events("first", 3)
		f.append("s", 0, events[:2])
		f.append("s", 2, Events("other", 1))
		f.refused(domain.ErrConflict, eventlog.Append{Stream: "s", Events: events})
		f.equal("length", len(f.stream("s")), 3)
	}},
	{"the same events at another place are a conflict", false, func(f *fixture) {
		events := Events("first", 3)
		f.append("s", 0, events)
		f.refused(domain.ErrConflict, eventlog.Append{Stream: "s", Expect: 1, Events: events})
		f.refused(domain.ErrConflict, eventlog.Append{Stream: "s", Expect: 0, Events: events[1:]})
	}},
	{"an event may be known to two streams", false, func(f *fixture) {
		events := Events("first", 1)
		f.append("s", 0, events)
		f.equal("result", f.append("t", 0, events), eventlog.Result{Position: f.head(), Revision: 1})
	}},
	{"500 events are appended together", false, func(f *fixture) {
		events := Events("many", 500)
		f.equal("revision", f.append("s", 0, events).Revision, uint64(500))
		f.equal("stream", ids(f.stream("s")), ids(events))
	}},
	{"as much as the limit is appended", false, func(f *fixture) {
		f.append("long", 0, Events("many", eventlog.MaxAppendEvents))
		big := Events("big", 1)
		big[0].Data = bytes.Repeat([]byte{'x'}, eventlog.MaxAppendBytes)
		f.append("big", 0, big)
		f.equal("data", len(f.stream("big")[0].Data), eventlog.MaxAppendBytes)
	}},
	{"more than the limit is refused and writes nothing", false, func(f *fixture) {
		f.refused(eventlog.ErrTooLarge, eventlog.Append{Stream: "s", Events: Events("many", eventlog.MaxAppendEvents+1)})
		big := Events("big", 2)
		big[1].Data = bytes.Repeat([]byte{'x'}, eventlog.MaxAppendBytes)
		f.refused(eventlog.ErrTooLarge, eventlog.Append{Stream: "s", Events: big})
		f.equal("head", f.head(), event.Position(0))
		f.append("s", 0, Events("few", 1))
	}},
	{"nothing to append is an error", false, func(f *fixture) {
		f.refused(nil, eventlog.Append{Stream: "s"})
		f.refused(nil, eventlog.Append{Events: Events("first", 1)})
		f.equal("head", f.head(), event.Position(0))
	}},
	{"of many that append at one place one wins", false, func(f *fixture) {
		const writers, rounds = 8, 20
		var wins [rounds]int
		var mu sync.Mutex
		var wg sync.WaitGroup
		for w := range writers {
			wg.Go(func() {
				for round := range rounds {
					_, err := f.log.Append(f.Context(), eventlog.Append{
						Stream: "s", Expect: uint64(round), Events: []event.Stored{Events(string(rune('a'+w)), rounds)[round]},
					})
					switch {
					case err == nil:
						mu.Lock()
						wins[round]++
						mu.Unlock()
					case !errors.Is(err, domain.ErrConflict):
						f.Errorf("append: %v", err)
					}
				}
			})
		}
		wg.Wait()
		length := len(f.stream("s")) // who is late in a round conflicts, so rounds may be left over
		for round, n := range wins {
			if n > 1 || n == 0 && round < length {
				f.Errorf("round %d: %d writers won", round, n)
			}
		}
	}},
}

var bulk = []promise{
	{"in a bulk each append has its own result", false, func(f *fixture) {
		f.append("taken", 0, Events("before", 1))
		results, errs := f.log.AppendBulk(f.Context(), []eventlog.Append{
			{Stream: "a", Events: Events("a", 2)},
			{Stream: "taken", Events: Events("late", 1)},
			{Stream: "none"},
			{Stream: "b", Events: Events("b", 3)},
		})
		if errs[0] != nil || !errors.Is(errs[1], domain.ErrConflict) || errs[2] == nil || errs[3] != nil {
			f.Fatalf("errors: %v", errs)
		}
		f.equal("result of a", results[0], f.last("a"))
		f.equal("result of b", results[3], f.last("b"))
		f.equal("head", f.head(), f.at(6))
		f.equal("a", ids(f.stream("a")), ids(Events("a", 2)))
		f.equal("b", ids(f.stream("b")), ids(Events("b", 3)))
		f.equal("taken", ids(f.stream("taken")), ids(Events("before", 1)))
	}},
	{"in a bulk appends to one stream are written in order", false, func(f *fixture) {
		one, two := Events("one", 2), Events("two", 2)
		bulk := []eventlog.Append{
			{Stream: "s", Expect: 0, Events: one},
			{Stream: "s", Expect: 2, Events: two},
			{Stream: "s", Expect: 0, Events: one},
			{Stream: "s", Expect: 1, Events: Events("late", 1)},
		}
		for range 2 { // the second time all are known
			results, errs := f.log.AppendBulk(f.Context(), bulk)
			if errs[0] != nil || errs[1] != nil || errs[2] != nil || !errors.Is(errs[3], domain.ErrConflict) {
				f.Fatalf("errors: %v", errs)
			}
			f.equal("results", results[:3], []eventlog.Result{{Position: f.at(2), Revision: 2}, {Position: f.at(4), Revision: 4}, {Position: f.at(2), Revision: 2}})
		}
		f.equal("stream", ids(f.stream("s")), ids(slices.Concat(one, two)))
	}},
	{"a bulk sent again writes what is missing", false, func(f *fixture) {
		var bulk []eventlog.Append
		for i := range 300 {
			bulk = append(bulk, eventlog.Append{Stream: "s-" + ID(uint64(i)).String(), Events: Events(ID(uint64(i)).String(), 1+i%3)})
		}
		f.bulk(bulk[100:200])
		first := f.bulk(bulk)
		f.equal("again", f.bulk(bulk), first)
		f.equal("head", f.head(), f.at(600))
	}},
	{"an empty bulk does nothing", false, func(f *fixture) {
		f.bulk(nil)
		f.equal("head", f.head(), event.Position(0))
	}},
	{"retries at random places agree with a list", false, func(f *fixture) {
		r := rand.New(rand.NewPCG(1, 2))
		events := Events("s", 60)
		length := 0
		for range 300 {
			from := r.IntN(length + 1)
			to := min(from+1+r.IntN(5), len(events))
			if from == to {
				break
			}
			result := f.append("s", uint64(from), events[from:to])
			length = max(length, to)
			f.equal("result", result, eventlog.Result{Position: f.at(to), Revision: uint64(to)})
		}
		f.equal("stream", ids(f.stream("s")), ids(events[:length]))
	}},
}

// refused appends and wants an error: this one, or any when nil.
func (f *fixture) refused(want error, a eventlog.Append) {
	f.Helper()
	_, err := f.log.Append(f.Context(), a)
	if err == nil || want != nil && !errors.Is(err, want) {
		f.Errorf("append: error %v, want %v", err, want)
	}
}

func (f *fixture) bulk(as []eventlog.Append) []eventlog.Result {
	f.Helper()
	results, errs := f.log.AppendBulk(f.Context(), as)
	for i, err := range errs {
		if err != nil {
			f.Fatalf("append %d: %v", i, err)
		}
	}
	return results
}
