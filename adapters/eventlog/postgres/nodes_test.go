package postgres_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/cleversender/cleversender/adapters/eventlog"
	"github.com/cleversender/cleversender/adapters/eventlog/logtest"
	"github.com/cleversender/cleversender/adapters/eventlog/postgres"
	"github.com/cleversender/cleversender/adapters/pgtest"
	"github.com/cleversender/cleversender/domain"
	"github.com/cleversender/cleversender/domain/event"
)

// watcher follows a log from its beginning and checks that nothing is missing
// or comes twice.
type watcher struct {
	t       *testing.T
	next    event.Position
	streams map[string][]domain.ID
}

func newWatcher(t *testing.T) *watcher {
	return &watcher{t: t, next: 1, streams: map[string][]domain.ID{}}
}

// until follows until the log has come to a position.
func (w *watcher) until(ctx context.Context, log *postgres.Log, batch int, head event.Position) {
	for page, err := range log.Follow(ctx, w.next-1, nil, batch) {
		if err != nil {
			w.t.Errorf("follow: %v", err)
			return
		}
		for _, e := range page.Events {
			ids := w.streams[e.Stream]
			if e.Position != w.next || e.Revision != uint64(len(ids)+1) {
				w.t.Errorf("position %d after %d, revision %d of %s after %d", e.Position, w.next-1, e.Revision, e.Stream, len(ids))
				return
			}
			w.next, w.streams[e.Stream] = w.next+1, append(ids, e.ID)
		}
		if page.Next >= head {
			return
		}
	}
	w.t.Errorf("it ended at %d of %d", w.next-1, head)
}

// Several processes append to one stream: at each place one of them wins, the
// others conflict, and followers of each miss nothing.
func TestSeveralNodesAppendToOneStream(t *testing.T) {
	const nodes, rounds = 4, 50
	url := pgtest.Database(t)
	var wins [rounds]atomic.Int32
	var last atomic.Uint64
	var logs []*postgres.Log
	var wg sync.WaitGroup
	for n := range nodes {
		log := open(t, url)
		logs = append(logs, log)
		wg.Go(func() {
			for round := range rounds {
				for { // until it is there, whoever appends it
					result, err := log.Append(t.Context(), eventlog.Append{
						Stream: "s", Expect: uint64(2 * round), Events: logtest.Events(fmt.Sprint("node ", n, " round ", round), 2),
					})
					if err == nil {
						wins[round].Add(1)
						last.Store(uint64(result.Position))
					} else if !errors.Is(err, domain.ErrConflict) {
						t.Errorf("append: %v", err)
						return
					}
					length := 0
					for events := range log.ReadStream(t.Context(), "s", 0, 1000) {
						length += len(events)
					}
					if length >= 2*(round+1) {
						break
					}
				}
			}
		})
	}
	wg.Wait()
	for round := range wins {
		if n := wins[round].Load(); n != 1 {
			t.Errorf("round %d: %d won", round, n)
		}
	}
	for _, log := range logs {
		newWatcher(t).until(t.Context(), log, 7, 2*rounds)
	}
}

// What one process appended, another finds to be known: all of it, or a part.
func TestARetryMayGoToAnotherNode(t *testing.T) {
	url := pgtest.Database(t)
	one, two := open(t, url), open(t, url)
	events := logtest.Events("s", 5)
	events[4].Type = "new.happened"
	first, err := one.Append(t.Context(), eventlog.Append{Stream: "s", Events: events[:3]})
	if err != nil {
		t.Fatal(err)
	}
	if again, err := two.Append(t.Context(), eventlog.Append{Stream: "s", Events: events[:3]}); err != nil || again != first {
		t.Errorf("again: %v, %v; at first %v", again, err, first)
	}
	rest, err := two.Append(t.Context(), eventlog.Append{Stream: "s", Events: events})
	if err != nil || rest != (eventlog.Result{Position: 5, Revision: 5}) {
		t.Errorf("the rest: %v, %v", rest, err)
	}
	at, err := one.ReadAt(t.Context(), []event.Position{5})
	if err != nil || len(at) != 1 || at[0].Type != "new.happened" {
		t.Errorf("of a type that another node made: %v, %v", at, err)
	}
	for page, err := range one.Follow(t.Context(), 0, []string{"new.happened"}, 10) {
		if err != nil {
			t.Fatal(err)
		}
		if page.Next == 5 {
			if len(page.Events) != 1 {
				t.Errorf("by type: %v", page.Events)
			}
			break
		}
	}
}

// Nodes append each to streams of its own while every node has followers,
// which see all of it, in the same order.
func TestFollowersOfEveryNodeMissNothing(t *testing.T) {
	const nodes, appends = 3, 60
	for _, keep := range []int{1, 50, 4096} {
		t.Run(fmt.Sprint("a memory of ", keep), func(t *testing.T) {
			url := pgtest.Database(t)
			total := 0
			for i := range appends {
				total += nodes * (1 + i%9)
			}
			var wg sync.WaitGroup
			for n := range nodes {
				log := open(t, url, postgres.KeepTail(keep))
				for _, batch := range []int{1, 10, 1000} {
					wg.Go(func() { newWatcher(t).until(t.Context(), log, batch, event.Position(total)) })
				}
				wg.Go(func() {
					length := uint64(0)
					for i := range appends {
						result, err := log.Append(t.Context(), eventlog.Append{
							Stream: fmt.Sprint("node ", n), Expect: length, Events: logtest.Events(fmt.Sprint(n, "/", i), 1+i%9),
						})
						if err != nil {
							t.Errorf("append: %v", err)
							return
						}
						length = result.Revision
					}
				})
			}
			wg.Wait()
		})
	}
}

// What another process appends is read once, however many follow here.
func TestFollowersShareOneReader(t *testing.T) {
	const followers, appends = 15, 40
	url := pgtest.Database(t)
	writing, reading := open(t, url), open(t, url)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	seen := make(chan event.Position, followers)
	var wg sync.WaitGroup
	for range followers {
		wg.Go(func() {
			for page, err := range reading.Follow(ctx, 0, nil, 10) {
				if err != nil {
					t.Error(err)
				}
				seen <- page.Next
			}
		})
	}
	wait := func(head event.Position) {
		for n := 0; n < followers; {
			if <-seen == head {
				n++
			}
		}
	}
	wait(0)
	for i := range appends {
		result, err := writing.Append(t.Context(), eventlog.Append{Stream: "s", Expect: uint64(i), Events: logtest.Events(fmt.Sprint(i), 1)})
		if err != nil {
			t.Fatal(err)
		}
		wait(result.Position)
	}
	cancel()
	wg.Wait()
	_ = reading.Close() // which has its connections report
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(t.Context()) }()
	scans := 0
	if err := conn.QueryRow(t.Context(), "SELECT idx_scan FROM pg_stat_user_indexes WHERE indexrelname = 'events_pkey'").Scan(&scans); err != nil {
		t.Fatal(err)
	}
	if scans < 1 || scans > 2*appends {
		t.Errorf("%d reads of %d appends by %d followers", scans, appends, followers)
	}
}
