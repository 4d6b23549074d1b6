package logtest

import (
	"context"
	"fmt"
	"sync"
	"testing"

	"github.com/cleversender/cleversender/adapters/eventlog"
	"github.com/cleversender/cleversender/domain/event"
)

// strange: events of a type and of a version that the software does not know
// come to every follower, from the tail and from the disk, in their place.
func strange(t *testing.T, a Adapter) {
	known := eventlog.Known{"thing.happened": 1, "rare.happened": 2}
	f := &fixture{T: t, adapter: a, dir: t.TempDir()}
	f.log = a.Knowing(t, f.dir, known)
	t.Cleanup(func() { _ = f.log.Close() })
	var want []event.Stored
	put := func(i int) {
		events := Events(fmt.Sprint(i), 300)
		events[7].Type, events[7].Version = "rare.happened", 2
		events[11].Type = "new.happened"
		events[250].Version = 2
		want = append(want, events[7], events[11], events[250])
		f.append(fmt.Sprint("s", i), 0, events)
	}
	follow := func() []string { return ids(f.caughtUp(0, []string{"rare.happened"}, 10)) }
	for i := range 40 { // more than a tail keeps
		put(i)
	}
	f.equal("from where they lie", follow(), ids(want))
	if a.Durable {
		if err := f.log.Close(); err != nil {
			f.Fatal(err)
		}
		f.log = a.Knowing(t, f.dir, known)
		f.equal("opened again", follow(), ids(want))
	}
	f.within("at the tail", func(ctx context.Context) {
		var got []event.Stored
		head := f.head()
		var putting sync.WaitGroup
		defer putting.Wait()
		for page, err := range f.log.Follow(ctx, head, []string{"never.happened"}, 1000) {
			if err != nil {
				f.Fatal(err)
			}
			if got = append(got, page.Events...); len(got) > 1 {
				break
			}
			if page.Next == head {
				putting.Go(func() { put(40) }) // its error is seen by what follows
			}
		}
		f.equal("at the tail", ids(got), ids(want[len(want)-2:]))
	})
}
