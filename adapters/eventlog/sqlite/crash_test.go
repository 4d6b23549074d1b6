package sqlite_test

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"

	"github.com/cleversender/cleversender/adapters/eventlog"
	"github.com/cleversender/cleversender/adapters/eventlog/logtest"
	"github.com/cleversender/cleversender/adapters/eventlog/sqlite"
	"github.com/cleversender/cleversender/domain/event"
)

// TestMain lets the test be the process that gets killed.
func TestMain(m *testing.M) {
	if dir := os.Getenv("SQLITE_TEST_APPEND"); dir != "" {
		appendUntilKilled(dir)
	}
	os.Exit(m.Run())
}

const crashWriters = 4

// appendUntilKilled appends from several goroutines and prints each append
// once it has been answered: writer, revision, position.
func appendUntilKilled(dir string) {
	log, err := sqlite.Open(context.Background(), filepath.Join(dir, "events.db"))
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	var mu sync.Mutex
	for w := range crashWriters {
		go func() {
			stream, length := fmt.Sprint("w", w), uint64(0)
			for events := range log.ReadStream(context.Background(), stream, 0, 1000) {
				length += uint64(len(events))
			}
			for i := 0; ; i++ {
				result, err := log.Append(context.Background(), eventlog.Append{
					Stream: stream, Expect: length, Events: logtest.Events(fmt.Sprint(stream, length), 1+i%7),
				})
				if err != nil {
					fmt.Println(err)
					os.Exit(1)
				}
				length = result.Revision
				mu.Lock()
				fmt.Println(w, result.Revision, result.Position)
				mu.Unlock()
			}
		}()
	}
	select {}
}

func TestWhatWasAnsweredSurvivesAKill(t *testing.T) {
	dir := t.TempDir()
	answered := map[event.Position]string{} // "stream revision" of the last event of each append
	for range 4 {
		child := exec.Command(os.Args[0])
		child.Env = append(os.Environ(), "SQLITE_TEST_APPEND="+dir)
		out, err := child.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := child.Start(); err != nil {
			t.Fatal(err)
		}
		lines, n := bufio.NewScanner(out), 0
		for lines.Scan() {
			var w int
			var revision uint64
			var position event.Position
			if _, err := fmt.Sscan(lines.Text(), &w, &revision, &position); err != nil {
				t.Fatalf("%q: %v", lines.Text(), err)
			}
			answered[position] = fmt.Sprint("w", w, " ", revision)
			if n++; n == 100 {
				_ = child.Process.Kill() // SIGKILL; what it had printed by then is read to the end
			}
		}
		_ = child.Wait()
		check(t, dir, answered)
	}
}

// check reads the whole log: no gap in positions nor revisions, and all that was answered.
func check(t *testing.T, dir string, answered map[event.Position]string) {
	t.Helper()
	log := open(t, dir)
	defer func() { _ = log.Close() }()
	head, _ := log.Head(t.Context())
	next, streams, found := event.Position(1), map[string]uint64{}, 0
	for page, err := range log.Follow(t.Context(), 0, nil, 100) {
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range page.Events {
			if e.Position != next || e.Revision != streams[e.Stream]+1 {
				t.Fatalf("position %d after %d, revision %d of %s after %d", e.Position, next-1, e.Revision, e.Stream, streams[e.Stream])
			}
			next, streams[e.Stream] = next+1, e.Revision
			if want, ok := answered[e.Position]; ok {
				if got := fmt.Sprint(e.Stream, " ", e.Revision); got != want {
					t.Errorf("at %d is %s, answered was %s", e.Position, got, want)
				}
				found++
			}
		}
		if page.Next == head {
			break
		}
	}
	if found != len(answered) {
		t.Errorf("of %d answered appends %d are there", len(answered), found)
	}
	for stream, length := range streams {
		n := 0
		for events, err := range log.ReadStream(t.Context(), stream, 0, 1000) {
			if err != nil {
				t.Fatal(err)
			}
			n += len(events)
		}
		if uint64(n) != length {
			t.Errorf("%s holds %d events, following gave %d", stream, n, length)
		}
	}
}
