package sending_test

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cleversender/cleversender/adapters/sending"
	"github.com/cleversender/cleversender/domain/campaign"
	"github.com/cleversender/cleversender/domain/delivery"
)

// TestMain is also the worker that TestKilledForReal kills.
func TestMain(m *testing.M) {
	if folder := os.Getenv("SENDING_FOLDER"); folder != "" {
		work(folder, os.Getenv("SENDING_SINK"))
		return
	}
	os.Exit(m.Run())
}

const (
	killWindow   = 20
	killParallel = 2
)

func killOptions(h *house, transport sending.Transport) sending.Options {
	return sending.Options{
		Journal: h.journal, Audience: h.view, Composer: composer{}, Transport: transport,
		SegmentSize: 100, Window: killWindow, Parallel: killParallel, Connections: 4, Lease: time.Second,
	}
}

func work(folder, sink string) {
	h := openHouse(&testing.B{}, folder, keys{})
	_ = sending.New(killOptions(h, remote{sink})).Run(context.Background())
}

// remote takes messages to a counter in another process, a connection each.
type remote struct{ address string }

func (r remote) Send(_ context.Context, m sending.Message) delivery.Reply {
	c, err := net.Dial("tcp", r.address)
	if err != nil {
		return delivery.Reply{Outcome: delivery.NotSent}
	}
	defer func() { _ = c.Close() }()
	if _, err := fmt.Fprintln(c, m.To); err != nil {
		return delivery.Reply{}
	}
	if line, err := bufio.NewReader(c).ReadString('\n'); err != nil || line != "ok\n" {
		return delivery.Reply{}
	}
	return delivery.Reply{Outcome: delivery.Taken, Code: 250}
}

// counter is a server that counts messages by address.
type counter struct {
	net.Listener
	mu    sync.Mutex
	took  map[string]int
	total int
	at    map[int]func() // called when so many were taken
}

func (c *counter) serve() {
	for {
		conn, err := c.Accept()
		if err != nil {
			return
		}
		go func() {
			defer func() { _ = conn.Close() }()
			line, err := bufio.NewReader(conn).ReadString('\n')
			if err != nil {
				return
			}
			c.mu.Lock()
			c.took[strings.TrimSpace(line)]++
			c.total++
			then := c.at[c.total]
			c.mu.Unlock()
			if then != nil {
				then()
			}
			_, _ = fmt.Fprintln(conn, "ok")
		}()
	}
}

// A worker is killed (kill -9) three times in mid-campaign and comes back: no
// recipient gets two messages, and unknown are at most what was in its windows.
func TestKilledForReal(t *testing.T) {
	folder, people := t.TempDir(), 600
	h := openHouse(t, folder, keys{})
	account, mailing := h.fill(t, people)
	h.close()

	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	sink := &counter{Listener: listener, took: map[string]int{}, at: map[int]func(){}}
	defer func() { _ = sink.Close() }()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	kills := []int{50, 190, 333}
	children := make(chan *exec.Cmd, 1)
	for _, n := range kills {
		sink.at[n] = func() {
			child := <-children
			_ = child.Process.Kill()
		}
	}
	go sink.serve()
	for range kills {
		child := exec.CommandContext(t.Context(), self)
		child.Env = append(os.Environ(), "SENDING_FOLDER="+folder, "SENDING_SINK="+listener.Addr().String())
		if err := child.Start(); err != nil {
			t.Fatal(err)
		}
		children <- child
		if err := child.Wait(); err == nil {
			t.Fatal("the worker ended by itself")
		}
	}
	h = openHouse(t, folder, keys{})
	defer h.close()
	_, stop := run(t, killOptions(h, remote{listener.Addr().String()}))
	defer stop()
	is := h.over(t, account, mailing)
	sink.mu.Lock()
	defer sink.mu.Unlock()
	for to, n := range sink.took {
		if n > 1 {
			t.Errorf("%s got %d messages", to, n)
		}
	}
	r := is.Result
	if is.Status != campaign.Done || r.Sent+r.Unknown != people || r.Unknown > len(kills)*killWindow*killParallel {
		t.Errorf("%s with %+v, want %d sent or unknown, at most %d unknown", is.Status, r, people, len(kills)*killWindow*killParallel)
	}
	if sink.total < r.Sent {
		t.Errorf("%d messages were taken, %d count as sent", sink.total, r.Sent)
	}
	t.Logf("taken %d, finished with %+v", sink.total, r)
}
