package smtp

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
)

// question is what a scripted server is asked: a command, "" for its greeting,
// "content" for the first line of a message, "." for the end of one, "BDAT" for
// a whole one.
type question struct {
	connection int    // from 1
	command    string // without its parameters
	line       string // with them
	sender     string // of the transaction under way
	together   bool   // more had arrived already
}

// script is a server that does as told. "drop" closes the connection, so does
// 421 unless it lingers; "silent" says nothing any more.
type script struct {
	addr        string
	say         func(question) string
	connections atomic.Int32
	messages    atomic.Int32 // complete ones, with a recipient, that it did not refuse
	mu          sync.Mutex
	complete    map[string]int // the same, by sender
	asked       []question
}

func serve(t *testing.T, say func(connection int, command string) string) *script {
	t.Helper()
	return listen(t, func(q question) string {
		if q.command == "content" {
			return ""
		}
		return say(q.connection, q.command)
	})
}

func listen(t *testing.T, say func(question) string) *script {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	s := &script{addr: l.Addr().String(), say: say, complete: map[string]int{}}
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go s.session(c, int(s.connections.Add(1)))
		}
	}()
	return s
}

// piped is a pool whose server is at the other end of a pipe: no octet is
// under way, and time is that of the test's bubble.
func piped(t *testing.T, settings string, say func(question) string) (*Pool, *script) {
	t.Helper()
	config, err := Parse("smtp://127.0.0.1" + settings)
	if err != nil {
		t.Fatal(err)
	}
	s := &script{say: say, complete: map[string]int{}}
	p := Open(config)
	p.connect = func(context.Context, string, string) (net.Conn, error) {
		ours, theirs := net.Pipe()
		go s.session(theirs, int(s.connections.Add(1)))
		return ours, nil
	}
	return p, s
}

func (s *script) session(c net.Conn, number int) {
	defer func() { _ = c.Close() }()
	r := bufio.NewReaderSize(c, 1<<18)
	q := question{connection: number}
	recipient, content := false, false
	for {
		s.mu.Lock()
		s.asked = append(s.asked, q)
		s.mu.Unlock()
		said := s.say(q)
		accepted := strings.HasPrefix(said, "2")
		switch q.command {
		case "MAIL", "RSET":
			recipient = false
		case "RCPT":
			recipient = recipient || accepted
		case "DATA":
			content = strings.HasPrefix(said, "354")
		case ".", "BDAT":
			if recipient && !strings.HasPrefix(said, "4") && !strings.HasPrefix(said, "5") {
				s.count(q.sender)
			}
			recipient, content = false, false
		}
		if said == "silent" {
			_, _ = io.Copy(io.Discard, r) // until the client goes
		}
		if said == "silent" || said == "drop" {
			return
		}
		if said != "" {
			if _, err := c.Write([]byte(said + "\r\n")); err != nil {
				return
			}
		}
		if strings.HasPrefix(said, "421") {
			if strings.HasSuffix(said, "lingers") {
				_, _ = io.Copy(io.Discard, r)
			}
			return
		}
		if !q.next(r, content) {
			return
		}
	}
}

// next reads on until there is something to ask.
func (q *question) next(r *bufio.Reader, content bool) bool {
	for {
		line, err := r.ReadString('\n')
		if err != nil {
			return false
		}
		q.line = strings.TrimRight(line, "\r\n")
		var size int64
		if n, _ := fmt.Sscanf(q.line, "BDAT %d LAST", &size); n == 1 && !content {
			if _, err := io.CopyN(io.Discard, r, size); err != nil {
				return false
			}
		}
		q.together = r.Buffered() > 0
		switch {
		case !content:
			q.command, _, _ = strings.Cut(q.line, " ")
			if q.command == "MAIL" {
				_, q.sender, _ = strings.Cut(q.line, "<")
				q.sender, _, _ = strings.Cut(q.sender, "@")
			}
			return true
		case q.line == ".":
			q.command = "."
			return true
		case q.command == "DATA":
			q.command = "content"
			return true
		}
	}
}

func (s *script) count(sender string) {
	s.messages.Add(1)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.complete[sender]++
}

func (s *script) completeOf(sender string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.complete[sender]
}

// heard is what a server was asked so far, in order.
func (s *script) heard() []question {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.asked)
}

// times is how often it was asked.
func (s *script) times(command string) (n int) {
	for _, q := range s.heard() {
		if q.command == command {
			n++
		}
	}
	return n
}

// polite is what a server says that takes everything.
func polite(command string) string {
	switch command {
	case "":
		return "220 hello"
	case "DATA":
		return "354 go on"
	case "QUIT":
		return "221 bye"
	case "content":
		return ""
	default:
		return "250 2.1.5 fine"
	}
}

// able is polite, and offers to pipeline.
func able(command string) string {
	if command == "EHLO" {
		return "250-hi\r\n250-SIZE 1000000\r\n250-8bitmime\r\n250 PIPELINING"
	}
	return polite(command)
}

// capable is able, and offers to take messages whole.
func capable(command string) string {
	if command == "EHLO" {
		return "250-hi\r\n250-SIZE 1000000\r\n250-8bitmime\r\n250-PIPELINING\r\n250 CHUNKING"
	}
	return polite(command)
}
