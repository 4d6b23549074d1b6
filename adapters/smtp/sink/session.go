package sink

import (
	"bytes"
	"net"
	"strconv"
	"time"
)

const (
	readSize = 128 << 10
	maxLine  = 4 << 10
	maxData  = 64 << 20
)

// session is one client's: what was read and not yet understood, and what is
// to be said. Replies to what arrived together leave together (RFC 2920, section 3.2).
type session struct {
	sink *Sink
	conn net.Conn
	in   []byte // in[:at] is understood
	at   int
	out  []byte
	over bool

	from    []byte // of the transaction under way
	mail    bool
	to      [][]byte
	content bool // the client is writing a message
	begun   int  // where its content begins, in in; without OnMessage not kept
	size    int
	chunk          // the client is writing one
	body    []byte // of chunks; without OnMessage not kept
	chunked bool   // there was one
}

func (s *session) run() {
	s.in = make([]byte, 0, readSize)
	s.say("220 sink.invalid")
	for !s.over {
		if len(s.out) > 0 {
			if _, err := s.conn.Write(s.out); err != nil {
				return
			}
			s.out = s.out[:0]
		}
		s.makeRoom()
		n, err := s.conn.Read(s.in[len(s.in):cap(s.in)])
		if err != nil {
			return
		}
		s.in = s.in[:len(s.in)+n]
		for !s.over && s.step() {
		}
	}
	_, _ = s.conn.Write(s.out)
}

func (s *session) say(reply string) {
	if d := s.sink.options.Delay; d > 0 {
		time.Sleep(d)
		_, _ = s.conn.Write(append(s.out, reply+"\r\n"...)) // a broken connection shows at the next read
		s.out = s.out[:0]
		return
	}
	s.out = append(append(s.out, reply...), "\r\n"...)
}

// makeRoom forgets what is understood. The two octets before at stay: the line
// end in front of a content is the first half of what may end it.
func (s *session) makeRoom() {
	keep := s.at
	if s.content {
		keep = s.at - 2
		if s.sink.options.OnMessage != nil {
			keep = s.begun - 2
		}
	}
	if keep > 0 {
		s.in = s.in[:copy(s.in, s.in[keep:])]
		s.at -= keep
		s.begun -= keep
	}
	if len(s.in) == cap(s.in) {
		s.in = append(s.in, make([]byte, len(s.in))...)[:len(s.in)]
	}
}

// step understands one command, or the rest of a message. false: more is to be read.
func (s *session) step() bool {
	switch {
	case s.content:
		return s.data()
	case s.under:
		return s.more()
	}
	n := bytes.IndexByte(s.in[s.at:], '\n')
	if n < 0 || n > maxLine {
		if len(s.in)-s.at > maxLine {
			s.say("500 5.5.2 the line is too long")
			s.over = true
		}
		return false
	}
	line := bytes.TrimSuffix(s.in[s.at:s.at+n], []byte("\r"))
	s.at += n + 1
	s.command(line)
	return true
}

// data looks for the end of a message (RFC 5321, section 4.1.1.4).
func (s *session) data() bool {
	from := s.at - 2
	n := bytes.Index(s.in[from:], []byte("\r\n.\r\n"))
	if n < 0 {
		next := max(s.at, len(s.in)-2)
		s.size += next - s.at
		if s.at = next; s.size > maxData {
			s.say("552 5.3.4 the message is too large")
			s.over = true
		}
		return false
	}
	s.size += from + n + 2 - s.at
	s.at = from + n + 5
	s.content = false
	var data []byte
	if s.sink.options.OnMessage != nil {
		data = unstuff(s.in[s.begun : from+n+2])
	}
	s.take(data)
	return true
}

// take ends a transaction; data is for OnMessage.
func (s *session) take(data []byte) {
	defer s.reset()
	if answer := s.sink.options.Answer; answer != nil {
		if code := answer(string(s.from), string(s.to[len(s.to)-1])); code != 250 {
			s.say(strconv.Itoa(code) + " as told")
			s.over = code == 421
			return
		}
	}
	s.sink.messages.Add(1)
	s.sink.bytes.Add(int64(s.size))
	if s.sink.options.OnMessage != nil {
		for _, to := range s.to {
			s.sink.options.OnMessage(string(s.from), string(to), data)
		}
	}
	s.say("250 2.0.0 gone")
}

// unstuff takes the first of the dots at the start of each line away, in place
// (RFC 5321, section 4.5.2).
func unstuff(data []byte) []byte {
	if !bytes.HasPrefix(data, []byte(".")) && !bytes.Contains(data, []byte("\r\n.")) {
		return data
	}
	out := data[:0]
	for len(data) > 0 {
		line := data
		if n := bytes.Index(data, []byte("\r\n")); n >= 0 {
			line = data[:n+2]
		}
		data = data[len(line):]
		out = append(out, bytes.TrimPrefix(line, []byte("."))...)
	}
	return out
}
