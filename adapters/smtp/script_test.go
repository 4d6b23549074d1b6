package smtp

import (
	"bufio"
	"net"
	"strings"
	"sync/atomic"
	"testing"
)

// script is a server that does as told: for each connection, for each command
// ("" is the greeting, "." the end of a message), what it says. "drop" closes
// the connection; "silent" says nothing.
type script struct {
	addr        string
	connections atomic.Int32
	messages    atomic.Int32 // complete ones
}

func serve(t *testing.T, say func(connection int, command string) string) *script {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	s := &script{addr: l.Addr().String()}
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go s.session(c, int(s.connections.Add(1)), say)
		}
	}()
	return s
}

func (s *script) session(c net.Conn, number int, say func(int, string) string) {
	defer func() { _ = c.Close() }()
	r := bufio.NewReader(c)
	answer := func(command string) bool {
		text := say(number, command)
		if text == "drop" {
			return false
		}
		if text != "silent" {
			_, _ = c.Write([]byte(text + "\r\n"))
		}
		return true
	}
	if !answer("") {
		return
	}
	for inData := false; ; {
		line, err := r.ReadString('\n')
		if err != nil {
			return
		}
		line = strings.TrimRight(line, "\r\n")
		switch {
		case inData && line != ".":
			continue
		case inData:
			inData = false
			s.messages.Add(1)
		default:
			line, _, _ = strings.Cut(line, " ")
			inData = line == "DATA" && strings.HasPrefix(say(number, "DATA"), "354")
		}
		if !answer(line) {
			return
		}
	}
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
	default:
		return "250 2.1.5 fine"
	}
}
