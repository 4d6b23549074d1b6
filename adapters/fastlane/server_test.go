package fastlane_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cleversender/cleversender/adapters/fastlane"
)

// site is a server on a real port. What the lane does not take is answered "rest".
type site struct {
	server  *fastlane.Server
	address string
	logged  *logged
	ended   chan error
}

func newSite(t *testing.T, ln net.Listener, pixel http.HandlerFunc) *site {
	t.Helper()
	s := &site{address: ln.Addr().String(), logged: &logged{}, ended: make(chan error, 1)}
	rest := &http.Server{
		Handler:           http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "rest") }),
		ReadHeaderTimeout: 10 * time.Second, IdleTimeout: time.Minute, ErrorLog: log.New(s.logged, "", 0),
	}
	s.server = fastlane.New(rest, map[string]http.Handler{open: pixel})
	go func() { s.ended <- s.server.Serve(ln) }()
	t.Cleanup(func() { _ = s.server.Close() })
	return s
}

func listen(t *testing.T) net.Listener {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return ln
}

// dial is a client's connection that is in the lane.
func (s *site) dial(t *testing.T) net.Conn {
	t.Helper()
	c, err := net.Dial("tcp", s.address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

// ask sends a request and reads its answer.
func ask(c net.Conn, request string) (*http.Response, error) {
	if _, err := io.WriteString(c, request); err != nil {
		return nil, err
	}
	r, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		return nil, err
	}
	body, err := io.ReadAll(r.Body)
	r.Body = io.NopCloser(bytes.NewReader(body))
	return r, err
}

type logged struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *logged) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *logged) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// A client keeps its connection through the lane, and out of it.
func TestKeptAlive(t *testing.T) {
	var peers []string
	var last context.Context
	s := newSite(t, listen(t), func(w http.ResponseWriter, r *http.Request) {
		peers, last = append(peers, r.RemoteAddr), r.Context()
		_, _ = io.WriteString(w, r.PathValue("token"))
	})
	client := &http.Client{Transport: &http.Transport{MaxConnsPerHost: 1}}
	defer client.CloseIdleConnections()
	for _, c := range []struct{ path, want string }{{"/o/a", "a"}, {"/o/b", "b"}, {"/", "rest"}, {"/o/c?", "rest"}, {"/o/c", "c"}, {"/o/d", "d"}} {
		r, err := client.Get("http://" + s.address + c.path)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(r.Body)
		_ = r.Body.Close()
		if string(body) != c.want || err != nil {
			t.Errorf("%s answers %q, %v", c.path, body, err)
		}
	}
	if len(peers) != 4 || peers[0] != peers[1] || peers[0] != peers[3] {
		t.Errorf("asked in the lane by %v", peers)
	}
	if r, err := client.Head("http://" + s.address + "/o/a"); err != nil || r.ContentLength != int64(len("rest")) {
		t.Errorf("HEAD: %v, %v", r, err)
	}
	<-last.Done() // the connection has left the lane
}

// Who has said all they want to say sees the end right after the answer.
func TestHalfClosed(t *testing.T) {
	silent := make(chan struct{})
	s := newSite(t, listen(t), func(_ http.ResponseWriter, r *http.Request) {
		if r.PathValue("token") == "next" {
			<-silent
		}
	})
	c := s.dial(t).(*net.TCPConn)
	if _, err := ask(c, get+"\r\n"); err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(c, next); err != nil {
		t.Fatal(err)
	}
	if err := c.CloseWrite(); err != nil {
		t.Fatal(err)
	}
	close(silent)
	_ = c.SetReadDeadline(time.Now().Add(30 * time.Second)) // half of IdleTimeout
	if answer, err := io.ReadAll(c); err != nil || !bytes.HasPrefix(answer, []byte("HTTP/1.1 200 OK")) {
		t.Errorf("answered %q, %v", answer, err)
	}
}

// Shutdown closes who waits, and lets who is being answered have the answer.
func TestShutdown(t *testing.T) {
	asked, answer := make(chan struct{}), make(chan struct{})
	s := newSite(t, listen(t), func(_ http.ResponseWriter, r *http.Request) {
		if r.PathValue("token") == "slow" {
			close(asked)
			<-answer
		}
	})
	idle, busy, fresh := s.dial(t), s.dial(t), s.dial(t)
	if _, err := ask(idle, get+"\r\n"); err != nil {
		t.Fatal(err)
	}
	answered := make(chan *http.Response)
	go func() {
		r, err := ask(busy, "GET /o/slow HTTP/1.1\r\nHost: x\r\n\r\n")
		if err != nil {
			t.Error(err)
		}
		answered <- r
	}()
	<-asked
	down := make(chan error)
	go func() { down <- s.server.Shutdown(t.Context()) }()
	for _, c := range []net.Conn{idle, fresh} {
		if _, err := c.Read(make([]byte, 1)); !errors.Is(err, io.EOF) {
			t.Errorf("a connection without a request: %v", err)
		}
	}
	select {
	case <-down:
		t.Error("an answer is not waited for")
	default:
	}
	close(answer)
	if r := <-answered; r == nil || r.StatusCode != http.StatusOK || !r.Close {
		t.Errorf("answered %+v", r)
	}
	if err := <-down; err != nil {
		t.Error(err)
	}
	if err := <-s.ended; !errors.Is(err, http.ErrServerClosed) {
		t.Errorf("Serve ends with %v", err)
	}
}

// Who is not answered in time is cut off by Close, and its context ends.
func TestClose(t *testing.T) {
	asked, let := make(chan struct{}), make(chan struct{})
	s := newSite(t, listen(t), func(_ http.ResponseWriter, r *http.Request) {
		close(asked)
		<-r.Context().Done()
		close(let)
	})
	c := s.dial(t)
	if _, err := io.WriteString(c, get+"\r\n"); err != nil {
		t.Fatal(err)
	}
	<-asked
	over, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.server.Shutdown(over); !errors.Is(err, context.Canceled) {
		t.Errorf("Shutdown out of time: %v", err)
	}
	if err := s.server.Close(); err != nil {
		t.Error(err)
	}
	if n, err := c.Read(make([]byte, 1)); err == nil {
		t.Errorf("%d octets of an answer", n)
	}
	<-let
}

// Who is handed over, or comes in, when nobody takes connections any more is hung up on.
func TestTooLate(t *testing.T) {
	ln := pipes{newMemory()}
	s := newSite(t, deaf{ln}, func(_ http.ResponseWriter, r *http.Request) {
		if err := r.Context().Value(http.ServerContextKey).(*http.Server).Shutdown(r.Context()); err != nil {
			t.Error(err)
		}
	})
	c := ln.dial(t)
	go func() { _, _ = io.WriteString(c, get+"\r\nPOST / HTTP/1.1\r\nHost: x\r\n\r\n") }()
	answer, err := io.ReadAll(c)
	if err != nil || bytes.Count(answer, []byte("HTTP/1.1 200 OK")) != 1 {
		t.Errorf("answered %q, %v", answer, err)
	}
	if err := s.server.Shutdown(t.Context()); err != nil {
		t.Error(err)
	}
	if n, err := ln.dial(t).Read(make([]byte, 1)); !errors.Is(err, io.EOF) {
		t.Errorf("after the end: %d octets, %v", n, err)
	}
}

// deaf is a listener that goes on after Close.
type deaf struct{ pipes }

func (deaf) Close() error { return nil }

// A connection that sets its deadline while Shutdown sets another does not wait for it.
func TestShutdownMeetsDeadline(t *testing.T) { synctest.Test(t, shutdownMeetsDeadline) }

func shutdownMeetsDeadline(t *testing.T) {
	ln := newMemory()
	s := newSite(t, ln, func(http.ResponseWriter, *http.Request) {})
	client, server := net.Pipe()
	defer client.Close()
	down := make(chan error, 1)
	ln.conns <- &meeting{Conn: server, met: make(chan struct{}), shutdown: func() { down <- s.server.Shutdown(t.Context()) }}
	if got := lives(client); got > time.Second {
		t.Errorf("it is kept for %v", got)
	}
	if err := <-down; err != nil {
		t.Error(err)
	}
}

// meeting is a connection whose first deadline takes until Shutdown has set another.
type meeting struct {
	net.Conn
	once     sync.Once
	met      chan struct{}
	shutdown func()
}

func (m *meeting) SetReadDeadline(t time.Time) error {
	if t.Before(time.Now()) {
		defer close(m.met)
	} else {
		m.once.Do(func() { go m.shutdown(); <-m.met })
	}
	return m.Conn.SetReadDeadline(t)
}

// A handler that panics is logged with its stack, takes its connection with it, and nothing else.
func TestPanic(t *testing.T) {
	s := newSite(t, listen(t), func(_ http.ResponseWriter, r *http.Request) {
		switch r.PathValue("token") {
		case "panic":
			panic("the sky falls")
		case "abort":
			panic(http.ErrAbortHandler)
		}
	})
	for _, token := range []string{"abort", "panic"} {
		if _, err := ask(s.dial(t), "GET /o/"+token+" HTTP/1.1\r\nHost: x\r\n\r\n"); !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("%s: %v", token, err)
		}
	}
	if _, err := ask(s.dial(t), get+"\r\n"); err != nil {
		t.Error(err)
	}
	if got := s.logged.String(); strings.Count(got, "http: panic serving 127.0.0.1:") != 1 || !strings.Contains(got, "the sky falls\ngoroutine ") {
		t.Errorf("logged %q", got)
	}
}

// pipes is a listener for pipes.
type pipes struct{ *memory }

func (p pipes) dial(t *testing.T) net.Conn {
	client, server := net.Pipe()
	t.Cleanup(func() { _ = client.Close() })
	p.conns <- server
	return client
}

// lives is how long a connection is kept from now.
func lives(c net.Conn) time.Duration {
	begun := time.Now()
	_, _ = c.Read(make([]byte, 1))
	return time.Since(begun)
}

// Who says nothing is let go after the time of the http.Server, or an eighth
// more; each request gives the whole time again.
func TestSilence(t *testing.T) { synctest.Test(t, silence) }

func silence(t *testing.T) {
	ln := pipes{newMemory()}
	newSite(t, ln, func(http.ResponseWriter, *http.Request) {})
	if got := lives(ln.dial(t)); got < 10*time.Second || got > 12*time.Second {
		t.Errorf("one that says nothing is kept for %v", got)
	}
	half := ln.dial(t)
	_, _ = io.WriteString(half, "GET /o/a")
	if got := lives(half); got != 10*time.Second {
		t.Errorf("one that stops in its first request is kept for %v", got)
	}
	c := ln.dial(t)
	for _, wait := range []time.Duration{0, time.Second, 50 * time.Second, 59 * time.Second} {
		time.Sleep(wait)
		if _, err := ask(c, get+"\r\n"); err != nil {
			t.Fatalf("after %v: %v", wait, err)
		}
	}
	if got := lives(c); got < time.Minute || got > 68*time.Second {
		t.Errorf("one that has nothing more to say is kept for %v", got)
	}
}

// A limit that the http.Server does not have is not the lane's, nor does that of
// one thing outlast it.
func TestNoLimits(t *testing.T) {
	for name, c := range map[string]struct {
		server *http.Server
		before time.Duration // the first request
		after  string        // it, what comes after a day
	}{
		"none":                         {&http.Server{}, 24 * time.Hour, "GET /o/b HTTP/1.1\r\nHost: x\r\n\r\n"},
		"only until a request":         {&http.Server{ReadHeaderTimeout: time.Minute}, 0, "GET /o/b HTTP/1.1\r\nHost: x\r\n\r\n"},
		"only between, and not at one": {&http.Server{IdleTimeout: time.Minute}, 24 * time.Hour, ""},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ln := pipes{newMemory()}
				c.server.Handler = http.NotFoundHandler()
				s := fastlane.New(c.server, map[string]http.Handler{open: http.NotFoundHandler()})
				go func() { _ = s.Serve(ln) }()
				defer s.Close()
				conn := ln.dial(t)
				time.Sleep(c.before)
				if _, err := ask(conn, get+"\r\n"); err != nil {
					t.Fatal(err)
				}
				if c.after == "" {
					_, _ = io.WriteString(conn, "POST / HTTP/1.1\r\n")
					c.after = "Host: x\r\n\r\n"
				}
				time.Sleep(24 * time.Hour)
				if _, err := ask(conn, c.after); err != nil {
					t.Fatal(err)
				}
			})
		})
	}
}

// TLS is net/http's, with all that comes with it.
func TestTLS(t *testing.T) {
	var inLane atomic.Int64
	s := httptest.NewUnstartedServer(nil)
	s.StartTLS() // for its certificate
	defer s.Close()
	ln := tls.NewListener(listen(t), s.TLS)
	newSite(t, ln, func(http.ResponseWriter, *http.Request) { inLane.Add(1) })
	r, err := s.Client().Get("https://" + ln.Addr().String() + "/o/a")
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	if body, err := io.ReadAll(r.Body); string(body) != "rest" || err != nil || inLane.Load() != 0 {
		t.Errorf("answered %q, %v", body, err)
	}
}

// A listener that fails for a moment is asked again, by net/http's patience.
func TestAcceptFails(t *testing.T) {
	ln := &failing{Listener: listen(t)}
	s := newSite(t, ln, func(http.ResponseWriter, *http.Request) {})
	if _, err := ask(s.dial(t), get+"\r\n"); err != nil {
		t.Error(err)
	}
	ln.broken.Store(true)
	_ = s.dial(t) // the listener comes back to say so
	if err := <-s.ended; !errors.Is(err, errBroken) {
		t.Errorf("Serve ends with %v", err)
	}
}

type failing struct {
	net.Listener
	calls  atomic.Int64
	broken atomic.Bool
}

var errBroken = errors.New("the listener is broken")

type momentary struct{ error }

func (momentary) Temporary() bool { return true }
func (momentary) Timeout() bool   { return false }

func (f *failing) Accept() (net.Conn, error) {
	if f.calls.Add(1) <= 2 {
		return nil, momentary{errors.New("too many open files")}
	}
	c, err := f.Listener.Accept()
	if err == nil && f.broken.Load() {
		_ = c.Close()
		err = errBroken
	}
	return c, err
}

// A segment has the name that its own route gives it.
func TestPathValues(t *testing.T) {
	echo := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, r.PathValue("a")+"|"+r.PathValue("b"))
	})
	ln := newMemory()
	s := fastlane.New(&http.Server{}, map[string]http.Handler{"GET /a/{a}": echo, "GET /b/{b}": echo})
	go func() { _ = s.Serve(ln) }()
	defer s.Close()
	said := ln.said([]byte("GET /a/1 HTTP/1.1\r\nHost: x\r\n\r\nGET /b/2 HTTP/1.1\r\nHost: x\r\n\r\nGET /a/3 HTTP/1.1\r\nHost: x\r\n\r\n"))
	for _, want := range []string{"1|", "|2", "3|"} {
		if !bytes.Contains(said, []byte("\r\n\r\n"+want)) {
			t.Errorf("no answer is %q", want)
		}
	}
}

// A pattern that the lane cannot tell from the first octets is a mistake of the program.
func TestPatterns(t *testing.T) {
	for _, pattern := range []string{
		"/o/{token}", "POST /o/{token}", "GET /o/{token...}", "GET /o/{token}/x", "GET /o/{$}", "GET /o/x", "GET o/{token}", "GET /o{token}", "GET x/o/{token}", "GET /{a}/{b}",
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%q is taken", pattern)
				}
			}()
			fastlane.New(&http.Server{}, map[string]http.Handler{pattern: http.NotFoundHandler()})
		}()
	}
}
