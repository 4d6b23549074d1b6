package logtest

import (
	"context"
	"fmt"
	"slices"
	"sync"

	"github.com/cleversender/cleversender/adapters/eventlog"
	"github.com/cleversender/cleversender/domain/event"
)

var following = []promise{
	{"a follower gets all events in log order", false, func(f *fixture) {
		var want []event.Stored
		for i := range 30 {
			events := Events(fmt.Sprint(i), 1+i%4)
			f.append(fmt.Sprint("s", i%5, "/", i), 0, events)
			want = append(want, events...)
		}
		for _, batch := range []int{1, 7, 1000} {
			got := f.caughtUp(0, nil, batch)
			f.equal("events", ids(got), ids(want))
			for i, e := range got {
				if !f.adapter.Sparse && e.Position != event.Position(i+1) || i > 0 && e.Position <= got[i-1].Position {
					f.Fatalf("event %d is at position %d", i, e.Position)
				}
			}
		}
	}},
	{"a follower goes on at every page's end", false, func(f *fixture) {
		want := f.mixed(41)
		for _, types := range [][]string{nil, {"thing.happened"}, {"rare.happened", "never.happened"}} {
			whole := f.caughtUp(0, types, 1000)
			var got []event.Stored
			after, pages := event.Position(0), 0
			for after < f.head() {
				for page, err := range f.log.Follow(f.Context(), after, types, 3) {
					if err != nil {
						f.Fatal(err)
					}
					if len(page.Events) > 3 {
						f.Errorf("%d events in a page of 3", len(page.Events))
					}
					got, after, pages = append(got, page.Events...), page.Next, pages+1
					break
				}
			}
			f.equal("events", ids(got), ids(whole))
			if types == nil && (pages < len(want)/3 || len(got) != len(want)) {
				f.Errorf("%d events in %d pages", len(got), pages)
			}
		}
	}},
	{"a filter leaves out other types and goes on past them", false, func(f *fixture) {
		var want []event.Stored
		for _, e := range f.mixed(200) {
			if e.Type == "rare.happened" {
				want = append(want, e)
			}
		}
		f.equal("rare", ids(f.caughtUp(0, []string{"rare.happened"}, 2)), ids(want))
		for _, types := range [][]string{{"never.happened"}, {}} {
			var after event.Position
			for page, err := range f.log.Follow(f.Context(), 0, types, 10) {
				if err != nil {
					f.Fatal(err)
				}
				if len(page.Events) > 0 {
					f.Fatalf("got %v", ids(page.Events))
				}
				if after = page.Next; after == f.head() {
					break
				}
			}
		}
	}},
	{"at the tail a follower gets a page, though there is nothing", false, func(f *fixture) {
		f.within("an empty log", func(ctx context.Context) {
			for page, err := range f.log.Follow(ctx, 0, nil, 10) {
				f.equal("page", page, eventlog.Page{})
				f.equal("error", err, nil)
				break
			}
		})
		head := f.append("s", 0, Events("s", 3)).Position
		f.within("the end of a log", func(ctx context.Context) {
			for page, err := range f.log.Follow(ctx, head, nil, 10) {
				f.equal("page", page, eventlog.Page{Next: head})
				f.equal("error", err, nil)
				break
			}
		})
	}},
	{"a follower at the tail wakes up", false, func(f *fixture) {
		events := Events("s", 5)
		f.within("all events", func(ctx context.Context) {
			var got []event.Stored
			for page, err := range f.log.Follow(ctx, 0, nil, 10) {
				if err != nil {
					f.Fatal(err)
				}
				if got = append(got, page.Events...); len(got) == len(events) {
					break
				}
				n := len(got)
				go f.log.Append(ctx, eventlog.Append{Stream: "s", Expect: uint64(n), Events: events[n : n+1]}) // its error is seen by what follows
			}
			f.equal("events", ids(got), ids(events))
		})
	}},
	{"a filtering follower at the tail learns how far the log is", false, func(f *fixture) {
		f.within("a page without events", func(ctx context.Context) {
			began := false
			for page, err := range f.log.Follow(ctx, 0, []string{"never.happened"}, 10) {
				if err != nil {
					f.Fatal(err)
				}
				if began && page.Next > 0 && page.Next == f.at(2) {
					break
				}
				if !began {
					began = true
					go f.log.Append(ctx, eventlog.Append{Stream: "s", Events: Events("s", 2)}) // its error is seen by what follows
				}
			}
		})
	}},
	{"following ends with its context, without an error", false, func(f *fixture) {
		head := f.append("s", 0, Events("s", 10)).Position
		ctx, cancel := context.WithCancel(f.Context())
		defer cancel()
		f.within("the end", func(context.Context) {
			for page, err := range f.log.Follow(ctx, 0, nil, 4) {
				if err != nil {
					f.Errorf("error %v", err)
				}
				if page.Next == head {
					go cancel()
				}
			}
		})
	}},
	{"following ends when the log is closed, without an error", false, func(f *fixture) {
		head := f.append("s", 0, Events("s", 10)).Position
		f.within("the end", func(context.Context) {
			for page, err := range f.log.Follow(f.Context(), 0, nil, 4) {
				if err != nil {
					f.Errorf("error %v", err)
				}
				if page.Next == head {
					go f.log.Close() // closed again by the fixture
				}
			}
		})
	}},
	{"while many append, followers miss nothing and see nothing twice", false, func(f *fixture) {
		const writers, appends = 8, 40
		total := 0
		for i := range appends {
			total += writers * (1 + i%5)
		}
		var wg sync.WaitGroup
		for w := range writers {
			wg.Go(func() {
				length := 0
				for i := range appends {
					events := Events(fmt.Sprint(w, "/", i), 1+i%5)
					if _, err := f.log.Append(f.Context(), eventlog.Append{Stream: fmt.Sprint("w", w), Expect: uint64(length), Events: events}); err != nil {
						f.Errorf("append: %v", err)
						return
					}
					length += len(events)
				}
			})
		}
		for _, batch := range []int{1, 10, 1000} {
			wg.Go(func() {
				f.within("all events", func(ctx context.Context) {
					streams, seen, last := map[string]uint64{}, 0, event.Position(0)
					for page, err := range f.log.Follow(ctx, 0, nil, batch) {
						if err != nil {
							f.Errorf("follow: %v", err)
							return
						}
						for _, e := range page.Events {
							if e.Position <= last || !f.adapter.Sparse && e.Position != last+1 || e.Revision != streams[e.Stream]+1 {
								f.Errorf("position %d after %d, revision %d of %s after %d", e.Position, last, e.Revision, e.Stream, streams[e.Stream])
								return
							}
							seen, last, streams[e.Stream] = seen+1, e.Position, e.Revision
						}
						if seen == total {
							return
						}
					}
				})
			})
		}
		wg.Wait()
	}},
	{"an acknowledged append is seen by who asks afterwards", false, func(f *fixture) {
		for i := range 50 {
			before := f.head()
			r := f.append("s", uint64(i), Events(fmt.Sprint(i), 1))
			if head := f.head(); head < r.Position {
				f.Fatalf("head %d, appended at %d", head, r.Position)
			}
			if n := len(f.caughtUp(before, nil, 10)); n != 1 {
				f.Fatalf("%d events follow %d", n, before)
			}
			if n := len(f.stream("s")); n != i+1 {
				f.Fatalf("stream holds %d, appended %d", n, i+1)
			}
		}
	}},
}

// mixed appends n events of two types, one rare, and returns them.
func (f *fixture) mixed(n int) []event.Stored {
	events := Events("mixed", n)
	for i := range events {
		if i%17 == 5 {
			events[i].Type = "rare.happened"
		}
	}
	for part := range slices.Chunk(slices.Clone(events), 10) {
		f.append("s-"+part[0].ID.String(), 0, part)
	}
	return events
}
