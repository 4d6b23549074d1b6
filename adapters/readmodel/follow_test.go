package readmodel

import (
	"context"
	"iter"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cleversender/cleversender/adapters/eventlog"
	"github.com/cleversender/cleversender/domain/event"
)

// pouring is a log that grows by an event every millisecond, of which one in every
// so many is of the projection's; 0: none is.
type pouring struct {
	began time.Time
	every int
}

func (l pouring) Head(context.Context) (event.Position, error) {
	return event.Position(time.Since(l.began).Milliseconds()), nil
}

func (l pouring) FollowStored(ctx context.Context, after event.Position, _ []string, _ int) iter.Seq2[eventlog.Page, error] {
	return func(yield func(eventlog.Page, error) bool) {
		for ctx.Err() == nil {
			head, _ := l.Head(ctx)
			if head == after {
				time.Sleep(time.Millisecond)
				continue
			}
			page := eventlog.Page{Next: head}
			for at := after + 1; at <= head; at++ {
				if l.every > 0 && int(at)%l.every == 0 {
					page.Events = append(page.Events, event.Stored{Position: at})
				}
			}
			if after = head; !yield(page, nil) {
				return
			}
		}
	}
}

func (l pouring) DecodePage(page eventlog.Page, _ map[string]bool) (eventlog.RecordedPage, error) {
	return eventlog.RecordedPage{Events: make([]event.Recorded, len(page.Events)), Next: page.Next}, nil
}

// While events pour in a projection takes them, and those that are not its own,
// many at a time; whoever waits for one does not wait for that.
func TestFollowingGathers(t *testing.T) {
	for name, c := range map[string]struct{ every, pages int }{
		"its own": {1, 4}, "others'": {0, 50},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				s, pages := &hosted{}, 0
				go s.followOn(ctx, pouring{time.Now(), c.every}, func(page eventlog.RecordedPage, _ error) bool {
					pages++
					s.reached.set(page.Next, len(page.Events) > 0)
					return true
				})
				time.Sleep(time.Second)
				synctest.Wait()
				if pages < c.pages/2 || pages > c.pages+5 {
					t.Errorf("%d pages in a second, where %d would do", pages, c.pages)
				}
				began := time.Now()
				for range 10 {
					at, _ := s.reached.now()
					if err := s.reached.wait(ctx, at+1); err != nil {
						t.Fatal(err)
					}
				}
				if took := time.Since(began); took > 20*time.Millisecond {
					t.Errorf("who waits ten times waits for %s", took)
				}
			})
		})
	}
}
