package fastlane_test

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"log"
	"maps"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cleversender/cleversender/adapters/fastlane"
)

const open, click = "GET /o/{token}", "GET /c/{token}"

// world is the same handler behind a plain http.Server and behind one with a lane.
type world struct {
	plain, lane *memory
	inLane      atomic.Int64 // how many requests were answered there
}

func newWorld(t testing.TB) *world {
	w := &world{plain: newMemory(), lane: newMemory()}
	mux := http.NewServeMux()
	mux.HandleFunc(open, echo)
	mux.HandleFunc(click, odd)
	mux.HandleFunc("POST /u/{token}", echo)
	mux.HandleFunc("GET /{$}", echo)
	counted := func(next http.HandlerFunc) http.Handler {
		return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) { w.inLane.Add(1); next(rw, r) })
	}
	quiet := log.New(io.Discard, "", 0)
	plain := &http.Server{Handler: mux, ErrorLog: quiet, MaxHeaderBytes: 16 << 10}
	lane := fastlane.New(&http.Server{Handler: mux, ErrorLog: quiet, MaxHeaderBytes: 16 << 10},
		map[string]http.Handler{open: counted(echo), click: counted(odd)})
	go func() { _ = plain.Serve(w.plain) }()
	go func() { _ = lane.Serve(w.lane) }()
	t.Cleanup(func() { _, _ = plain.Close(), lane.Close() })
	return w
}

// echo answers all that a handler can learn of its request.
func echo(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	said := fmt.Sprintf("%s %s %s %d.%d host %q url %q %q pattern %q token %q from %s length %d %v close %v body %q %v tls %v\n", r.Method, r.RequestURI,
		r.Proto, r.ProtoMajor, r.ProtoMinor, r.Host, r.URL, r.URL.Path, r.Pattern, r.PathValue("token"), r.RemoteAddr, r.ContentLength,
		r.TransferEncoding, r.Close, body, err, r.TLS != nil)
	said += fmt.Sprintf("trailer %v server %v local %v\n", r.Trailer, r.Context().Value(http.ServerContextKey) != nil, r.Context().Value(http.LocalAddrContextKey))
	for _, name := range slices.Sorted(maps.Keys(r.Header)) {
		said += fmt.Sprintf("%s: %q\n", name, r.Header[name])
	}
	w.Header().Set("Content-Length", fmt.Sprint(len(said)))
	_, _ = io.WriteString(w, said)
}

// odd answers in the ways that handlers answer.
func odd(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	switch r.PathValue("token") {
	case "nothing":
	case "redirect":
		http.Redirect(w, r, "https://example.com/é?a=1&b=2", http.StatusFound)
	case "sniffed":
		_, _ = io.WriteString(w, "<html><body>")
		_, _ = io.WriteString(w, "</body></html>")
	case "encoded":
		h.Set("Content-Encoding", "gzip")
		_, _ = io.WriteString(w, "<html>")
	case "untyped":
		h["Content-Type"] = nil
		_, _ = io.WriteString(w, "<html>")
	case "no-content":
		w.WriteHeader(http.StatusNoContent)
		_, err := io.WriteString(w, "body")
		h.Set("X-Late", fmt.Sprint(err))
	case "not-modified":
		h.Set("ETag", `"a"`)
		w.WriteHeader(http.StatusNotModified)
	case "late":
		h.Set("X-Early", "1")
		w.WriteHeader(599)
		w.WriteHeader(http.StatusOK)
		h.Set("X-Late", "1")
		h.Set("X-Early", "2")
	case "injected":
		h["X-A"] = []string{"a\r\nX-B: b", " c "}
		h["X A"] = []string{"name"}
	case "close":
		h.Set("Connection", "close")
	case "dated":
		h.Set("Date", "Thu, 01 Jan 1970 00:00:00 GMT")
	case "undated":
		h["Date"] = nil
	case "hinted":
		w.WriteHeader(http.StatusProcessing)
	case "panic":
		panic("odd")
	case "abort":
		panic(http.ErrAbortHandler)
	default:
		http.NotFound(w, r)
	}
}

// memory is a listener for connections in memory.
type memory struct {
	conns  chan net.Conn
	closed chan struct{}
}

func newMemory() *memory { return &memory{make(chan net.Conn), make(chan struct{})} }

func (m *memory) Accept() (net.Conn, error) {
	select {
	case c := <-m.conns:
		return c, nil
	case <-m.closed:
		return nil, net.ErrClosed
	}
}

func (m *memory) Close() error {
	select {
	case <-m.closed:
	default:
		close(m.closed)
	}
	return nil
}

func (m *memory) Addr() net.Addr { return address("192.0.2.1:80") }

type address string

func (a address) Network() string { return "tcp" }
func (a address) String() string  { return string(a) }

// said is what a server answers to a client that says what is in pieces, each for one
// read, and no more.
func (m *memory) said(pieces ...[]byte) []byte {
	c := &script{pieces: pieces, closed: make(chan struct{})}
	m.conns <- c
	<-c.closed
	return c.answers.Bytes()
}

// script is a connection whose client has said everything before it is heard.
type script struct {
	pieces  [][]byte
	answers bytes.Buffer
	closed  chan struct{}
	over    atomic.Bool
}

func (s *script) Read(p []byte) (int, error) {
	for len(s.pieces) > 0 && len(s.pieces[0]) == 0 {
		s.pieces = s.pieces[1:]
	}
	if len(s.pieces) == 0 {
		return 0, io.EOF
	}
	n := copy(p, s.pieces[0])
	s.pieces[0] = s.pieces[0][n:]
	return n, nil
}

func (s *script) Close() error {
	if !s.over.Swap(true) {
		close(s.closed)
	}
	return nil
}

// CloseWrite is how net/http begins to close when the client may not be listening yet.
func (s *script) CloseWrite() error {
	s.answers.WriteString("one side closed")
	return s.Close()
}

func (s *script) Write(p []byte) (int, error)      { return s.answers.Write(p) }
func (s *script) LocalAddr() net.Addr              { return address("192.0.2.1:80") }
func (s *script) RemoteAddr() net.Addr             { return address("198.51.100.7:4321") }
func (s *script) SetDeadline(time.Time) error      { return nil }
func (s *script) SetReadDeadline(time.Time) error  { return nil }
func (s *script) SetWriteDeadline(time.Time) error { return nil }

// answers are what is in raw, one after the other; dates are left out.
func answers(raw []byte) (all []string) {
	all = append(all, fmt.Sprintf("%d lengths", bytes.Count(raw, []byte("\r\nContent-Length: "))))
	in := bufio.NewReader(bytes.NewReader(raw))
	for {
		if _, err := in.Peek(1); err != nil {
			return all
		}
		r, err := http.ReadResponse(in, nil)
		if err != nil {
			return append(all, "unreadable: "+err.Error())
		}
		body, err := io.ReadAll(r.Body)
		if date := r.Header["Date"]; len(date) == 1 && !strings.Contains(date[0], "1970") {
			r.Header["Date"] = []string{"now"}
		}
		var head strings.Builder
		_ = r.Header.Write(&head)
		all = append(all, fmt.Sprintf("%s %s close %v length %d %v\n%s\n%s%v", r.Proto, r.Status, r.Close, r.ContentLength, r.TransferEncoding, &head, body, err))
	}
}
