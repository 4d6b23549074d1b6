package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	gosmtp "github.com/emersion/go-smtp"

	"github.com/cleversender/cleversender/adapters/api"
	"github.com/cleversender/cleversender/adapters/smtp/catcher"
	"github.com/cleversender/cleversender/cmd/cleversender/client"
	"github.com/cleversender/cleversender/cmd/cleversender/engine"
	"github.com/cleversender/cleversender/domain/campaign"
)

// house is a data folder, and the real program run on it, as processes.
type house struct {
	t          *testing.T
	program    string
	dir, token string
	rootKey    string // URI; "": in the folder
	database   string // URL of what is shared with other houses; "": everything is in the folder
}

func newHouse(t *testing.T) *house {
	t.Helper()
	h := &house{t: t, program: "cleversender", dir: filepath.Join(t.TempDir(), "data")}
	h.init()
	return h
}

// newSharedHouse is one whose stores, in a database, others can share.
func newSharedHouse(t *testing.T, database string) *house {
	t.Helper()
	h := &house{t: t, program: "cleversender", dir: filepath.Join(t.TempDir(), "data"), database: database}
	h.rootKey = "file://" + filepath.Join(h.dir, "root.key")
	h.init()
	return h
}

func (h *house) init() {
	h.t.Helper()
	var made struct{ Token string }
	if err := json.Unmarshal([]byte(h.cli("--json", "init")), &made); err != nil {
		h.t.Fatal(err)
	}
	h.token = made.Token
}

// beside is a house with a folder of its own that shares the stores.
func (h *house) beside() *house {
	other := *h
	other.dir = filepath.Join(h.t.TempDir(), "data")
	return &other
}

// stores are where the house keeps things, as the engine is told.
func (h *house) stores() engine.Options {
	return engine.Options{
		Dir: h.dir, RootKey: h.rootKey, Stores: engine.Stores{Log: h.database, ReadModels: h.database, Keys: h.database},
	}
}

// processTime is how long a process may live: one that does not end by itself
// is ended.
const processTime = 2 * time.Minute

func (h *house) command(args ...string) *exec.Cmd {
	ctx, cancel := context.WithTimeout(h.t.Context(), processTime)
	h.t.Cleanup(cancel)
	cmd := exec.CommandContext(ctx, h.program, args...) // testscript.Main puts it on the path
	cmd.Env = append(os.Environ(), "CLEVERSENDER_DATA="+h.dir, "CLEVERSENDER_TOKEN="+h.token, "CLEVERSENDER_ROOT_KEY="+h.rootKey,
		"CLEVERSENDER_LOG="+h.database, "CLEVERSENDER_READ_MODELS="+h.database, "CLEVERSENDER_KEYS="+h.database)
	return cmd
}

// cli runs the program to its end and returns what it says, trimmed.
func (h *house) cli(args ...string) string {
	h.t.Helper()
	out, err := h.command(args...).Output()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		h.t.Fatalf("cleversender %s: %v: %s", strings.Join(args, " "), err, exit.Stderr)
	} else if err != nil {
		h.t.Fatal(err)
	}
	return strings.TrimSpace(string(out))
}

// exits runs the program, which is to end with code, and returns what it complains of.
func (h *house) exits(code int, args ...string) string {
	h.t.Helper()
	cmd := h.command(args...)
	var complaint bytes.Buffer
	cmd.Stderr = &complaint
	_ = cmd.Run()
	if got := cmd.ProcessState.ExitCode(); got != code {
		h.t.Errorf("cleversender %s exits with %d, want %d: %s", strings.Join(args, " "), got, code, complaint.String())
	}
	return complaint.String()
}

// draft imports n people who agreed to mail, and drafts a campaign to them, by
// the command line.
func (h *house) draft(n int) (id string) {
	h.t.Helper()
	var file strings.Builder
	file.WriteString("email,name\n")
	for i := range n {
		fmt.Fprintf(&file, "%s,Reader %d\n", reader(i), i)
	}
	contacts := filepath.Join(h.t.TempDir(), "contacts.csv")
	if err := os.WriteFile(contacts, []byte(file.String()), 0o600); err != nil {
		h.t.Fatal(err)
	}
	list := h.cli("list", "create", "News")
	h.cli("import", contacts, "--list", list, "--purpose", "mailing")
	page := filepath.Join(h.t.TempDir(), "page.html")
	if err := os.WriteFile(page, []byte("<p>Hello {{ name }}</p>"), 0o600); err != nil {
		h.t.Fatal(err)
	}
	template := h.cli("template", "create", "--name", "Letter", "--subject", "News", "--html", page)
	return h.cli("campaign", "draft", "--name", "May", "--list", list, "--template", template, "--from-email", "news@example.org")
}

func reader(i int) string { return fmt.Sprintf("reader%d@example.org", i) }

// server is cleversender serve at work.
type server struct {
	t     *testing.T
	cmd   *exec.Cmd
	url   string
	api   *client.Client
	ended chan struct{}
	mu    sync.Mutex
	log   strings.Builder
}

// serve starts a server that sends by way of smtp, and waits until it answers.
func (h *house) serve(smtp string, flags ...string) *server {
	h.t.Helper()
	s := &server{t: h.t, ended: make(chan struct{})}
	s.cmd = h.command(append([]string{"--json", "serve", "--listen", "127.0.0.1:0", "--smtp", smtp}, flags...)...)
	lines, err := s.cmd.StderrPipe()
	if err == nil {
		err = s.cmd.Start()
	}
	if err != nil {
		h.t.Fatal(err)
	}
	address := make(chan string, 1)
	go func() {
		defer close(s.ended)
		s.read(lines, address)
		_ = s.cmd.Wait()
	}()
	h.t.Cleanup(func() { _ = s.cmd.Process.Kill(); <-s.ended })
	select {
	case s.url = <-address:
	case <-s.ended:
		h.t.Fatalf("the server did not start: %s", s.said())
	}
	if s.api, err = client.Dial(s.url, h.token); err != nil {
		h.t.Fatal(err)
	}
	if status, _ := s.get("/readyz"); status != http.StatusOK {
		h.t.Fatalf("/readyz answers %d", status)
	}
	return s
}

func (s *server) read(lines io.Reader, address chan<- string) {
	for scan := bufio.NewScanner(lines); scan.Scan(); {
		s.mu.Lock()
		s.log.Write(append(scan.Bytes(), '\n'))
		s.mu.Unlock()
		var line struct{ Msg, Address string }
		if json.Unmarshal(scan.Bytes(), &line) == nil && line.Msg == "serving" {
			address <- line.Address
		}
	}
}

// said is the server's log so far.
func (s *server) said() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.log.String()
}

// signal sends a signal; what is over gets none.
func (s *server) signal(sig os.Signal) { _ = s.cmd.Process.Signal(sig) }

// wait returns how the server ended: its exit code, -1 when it was killed.
func (s *server) wait() int {
	<-s.ended
	return s.cmd.ProcessState.ExitCode()
}

func (s *server) get(path string) (status int, body string) {
	s.t.Helper()
	resp, err := http.Get(s.url + path)
	if err != nil {
		s.t.Fatal(err)
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return resp.StatusCode, string(raw)
}

// finished waits until a campaign is over by itself.
func (s *server) finished(id string) (r api.Report) {
	s.t.Helper()
	for r.Status != campaign.Done {
		if err := s.api.Call(s.t.Context(), http.MethodGet, "/campaigns/"+id+"/report", nil, &r); err != nil {
			s.t.Fatalf("%v: %s", err, s.said())
		}
		time.Sleep(10 * time.Millisecond)
	}
	return r
}

// sink is a mail server that counts messages by recipient. It is slow, so that
// a campaign takes a while, and calls when after so many messages, before the
// last of them is answered.
type sink struct {
	*catcher.Catcher
	mu     sync.Mutex
	got    map[string]int
	total  int
	when   map[int]func()
	refuse string // whom it does not know
	wall   error  // what it says to everybody; nil: it takes messages
	before func() // called before a message is taken; nil: nothing
}

func newSink(t *testing.T) *sink {
	t.Helper()
	s := &sink{got: map[string]int{}, when: map[int]func(){}}
	var err error
	s.Catcher, err = catcher.Listen(catcher.Options{Keep: 1000, OnMessage: s.take, Answer: s.answer})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// set changes what the sink does, while it is at work.
func (s *sink) set(change func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change()
}

func (s *sink) answer(_ string, to []string) error {
	time.Sleep(2 * time.Millisecond)
	s.mu.Lock()
	before, refuse, wall := s.before, s.refuse, s.wall
	s.mu.Unlock()
	if before != nil {
		before()
	}
	if wall != nil {
		return wall
	}
	if to[0] == refuse {
		return &gosmtp.SMTPError{Code: 550, EnhancedCode: gosmtp.EnhancedCode{5, 1, 1}, Message: "<" + to[0] + "> is not known here"}
	}
	return nil
}

func (s *sink) take(m catcher.Message) {
	s.mu.Lock()
	s.got[m.To[0]]++
	s.total++
	then := s.when[s.total]
	s.mu.Unlock()
	if then != nil {
		then()
	}
}

// count returns how many people got something, and complains of who got it twice.
func (s *sink) count(t *testing.T) (people int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for to, n := range s.got {
		if n > 1 {
			t.Errorf("%s got %d messages", to, n)
		}
	}
	return len(s.got)
}
