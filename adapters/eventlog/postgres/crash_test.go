package postgres_test

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"sync"
	"testing"

	"github.com/cleversender/cleversender/adapters/eventlog"
	"github.com/cleversender/cleversender/adapters/eventlog/logtest"
	"github.com/cleversender/cleversender/adapters/eventlog/postgres"
	"github.com/cleversender/cleversender/adapters/pgtest"
	"github.com/cleversender/cleversender/domain/event"
)

const urlVariable = "POSTGRES_TEST_APPEND"

// TestMain lets the test be one of the processes that get killed.
func TestMain(m *testing.M) {
	if url := os.Getenv(urlVariable); url != "" {
		appendUntilKilled(url)
	}
	os.Exit(pgtest.Main(m))
}

// appendUntilKilled appends from several goroutines, to streams that other
// processes append to as well, and prints each append once it has been
// answered: stream, revision, position.
func appendUntilKilled(url string) {
	log, err := postgres.Open(context.Background(), url)
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	var mu sync.Mutex
	for w := range 4 {
		go func() {
			stream := fmt.Sprint("w", w)
			for i := 0; ; i++ {
				length := uint64(0)
				for events := range log.ReadStream(context.Background(), stream, 0, 1000) {
					length += uint64(len(events))
				}
				result, err := log.Append(context.Background(), eventlog.Append{
					Stream: stream, Expect: length, Events: logtest.Events(fmt.Sprint(os.Getpid(), stream, length), 1+i%7),
				})
				if err == nil { // or another process was ahead
					mu.Lock()
					fmt.Println(stream, result.Revision, result.Position)
					mu.Unlock()
				}
			}
		}()
	}
	select {}
}

// Of processes that are killed while they append, everything answered is there.
func TestWhatWasAnsweredSurvivesAKill(t *testing.T) {
	url := pgtest.Database(t)
	log := open(t, url)
	var mu sync.Mutex
	answered := map[event.Position]string{} // "stream revision" of the last event of each append
	for range 3 {
		var wg sync.WaitGroup
		for range 2 {
			child := exec.Command(os.Args[0])
			child.Env = append(os.Environ(), urlVariable+"="+url)
			out, err := child.StdoutPipe()
			if err == nil {
				err = child.Start()
			}
			if err != nil {
				t.Fatal(err)
			}
			wg.Go(func() {
				lines := bufio.NewScanner(out)
				for n := 0; lines.Scan(); n++ {
					var stream string
					var revision uint64
					var position event.Position
					if _, err := fmt.Sscan(lines.Text(), &stream, &revision, &position); err != nil {
						t.Errorf("%q: %v", lines.Text(), err)
					}
					mu.Lock()
					if had, ok := answered[position]; ok {
						t.Errorf("position %d: answered to %s before", position, had)
					}
					answered[position] = fmt.Sprint(stream, " ", revision)
					mu.Unlock()
					if n == 100 {
						_ = child.Process.Kill() // SIGKILL; what it had printed by then is read to the end
					}
				}
				_ = child.Wait()
			})
		}
		wg.Wait()
	}
	check(t, log, answered)
}

// check reads the whole log: no gap in positions nor revisions, and all that was answered.
func check(t *testing.T, log *postgres.Log, answered map[event.Position]string) {
	t.Helper()
	head, err := log.Head(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	w := newWatcher(t)
	w.until(t.Context(), log, 100, head)
	for position, want := range answered {
		at, err := log.ReadAt(t.Context(), []event.Position{position})
		if err != nil || len(at) != 1 {
			t.Fatalf("answered at %d: %d events, error %v", position, len(at), err)
		}
		if got := fmt.Sprint(at[0].Stream, " ", at[0].Revision); got != want {
			t.Errorf("at %d is %s, answered was %s", position, got, want)
		}
	}
	for stream, ids := range w.streams {
		n := 0
		for events, err := range log.ReadStream(t.Context(), stream, 0, 1000) {
			if err != nil {
				t.Fatal(err)
			}
			n += len(events)
		}
		if n != len(ids) {
			t.Errorf("%s holds %d events, following gave %d", stream, n, len(ids))
		}
	}
}
