package eventstoredb_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/cleversender/cleversender/adapters/eventlog"
	"github.com/cleversender/cleversender/adapters/eventlog/eventstoredb"
	"github.com/cleversender/cleversender/adapters/eventlog/eventstoredb/esdbtest"
	"github.com/cleversender/cleversender/adapters/eventlog/logtest"
	"github.com/cleversender/cleversender/domain/event"
)

var drops = flag.Int64("drops", 1000, "how many connections the test of drops drops")

// storm drops connections at random places, so many times, and beside that
// fails calls and has other nodes lead.
func storm(c *esdbtest.Cluster, left *atomic.Int64) esdbtest.Faults {
	return func(call esdbtest.Call) esdbtest.Fault {
		switch n := rand.IntN(1000); {
		case n < 40 && left.Add(-1) >= 0:
			return esdbtest.Fault{Drop: true}
		case left.Load() <= 0:
			return esdbtest.Fault{}
		case n < 60:
			return esdbtest.Fault{Err: status.Error([]codes.Code{codes.Internal, codes.Unavailable, codes.Aborted}[n%3], "cut short")}
		case n < 61:
			c.Lead(n % 3)
		}
		return esdbtest.Fault{}
	}
}

// Drops lose nothing and repeat nothing: what was acknowledged is
// there once, in order, for who follows and for who reads.
func TestDropsLoseAndRepeatNothing(t *testing.T) {
	c := esdbtest.Start(t, 3)
	log := open(t, c.URL()+"&discoveryInterval=5", eventstoredb.Patience(10*time.Minute))
	began := time.Now()
	var left atomic.Int64
	left.Store(*drops)
	c.Fail(storm(c, &left))

	const writers = 8
	var wrote [writers]int
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	var appending sync.WaitGroup
	for w := range writers {
		appending.Go(func() {
			for left.Load() > 0 || wrote[w] < 3 {
				a := next(w, wrote[w])
				if w%2 == 0 {
					if result, err := log.Append(ctx, a); err != nil || result.Revision != uint64(wrote[w]+3) {
						t.Errorf("append %d: %v, %v", w, result, err)
						return
					}
				} else {
					other := a
					other.Stream = "other/" + a.Stream
					_, errs := log.AppendBulk(ctx, []eventlog.Append{a, other})
					if err := errors.Join(errs...); err != nil {
						t.Errorf("bulk %d: %v", w, err)
						return
					}
				}
				wrote[w] += 3
			}
		})
	}
	seen := map[string]uint64{}
	last := event.Position(0)
	follow := make(chan struct{})
	go func() {
		defer close(follow)
		for page, err := range log.Follow(ctx, 0, nil, 100) {
			if err != nil {
				t.Errorf("follow: %v", err)
				return
			}
			for _, e := range page.Events {
				if e.Position <= last || e.Revision != seen[e.Stream]+1 {
					t.Errorf("position %d after %d, revision %d of %s after %d", e.Position, last, e.Revision, e.Stream, seen[e.Stream])
				}
				last, seen[e.Stream] = e.Position, e.Revision
			}
			if seen["end"] > 0 {
				return
			}
		}
	}()
	appending.Wait()
	c.Fail(nil)
	if _, err := log.Append(t.Context(), eventlog.Append{Stream: "end", Events: logtest.Events("end", 1)}); err != nil {
		t.Fatal(err)
	}
	select {
	case <-follow:
	case <-time.After(time.Minute):
		stop()
		<-follow
		t.Error("the follower did not come to the end")
	}
	for w := range writers {
		name := fmt.Sprint("w", w)
		if n := length(t, log, name); n != wrote[w] || seen[name] != uint64(wrote[w]) {
			t.Errorf("%s: wrote %d, holds %d, followed %d", name, wrote[w], n, seen[name])
		}
		if w%2 == 1 && seen["other/"+name] != uint64(wrote[w]) {
			t.Errorf("other/%s: wrote %d, followed %d", name, wrote[w], seen["other/"+name])
		}
	}
	t.Logf("%d drops in %v", *drops, time.Since(began).Round(time.Millisecond))
	if left.Load() > 0 {
		t.Errorf("%d drops are left", left.Load())
	}
}

// next is a writer's next append.
func next(w, from int) eventlog.Append {
	return eventlog.Append{Stream: fmt.Sprint("w", w), Expect: uint64(from), Events: logtest.Events(fmt.Sprint(w, "/", from), 3)}
}
