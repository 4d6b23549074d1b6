package sink

import (
	"bytes"
	"strconv"
)

// chunk is a part of a message (RFC 3030, section 2).
type chunk struct {
	under bool // it is being written
	left  int  // octets of it to come
	last  bool
	stray bool // of no message: discarded, and refused
}

// begin understands BDAT. Where a chunk ends that has no size nobody knows.
func (s *session) begin(line []byte) {
	words := bytes.Fields(line)
	last := len(words) == 3 && bytes.EqualFold(words[2], []byte("LAST"))
	size := -1
	if len(words) == 2 || last {
		if n, err := strconv.ParseUint(string(words[1]), 10, 32); err == nil {
			size = int(n)
		}
	}
	switch {
	case size < 0:
		s.say("501 5.5.4 no size")
		s.over = true
	case s.size+size > maxData:
		s.say("552 5.3.4 the message is too large")
		s.over = true
	default:
		s.chunk = chunk{under: true, left: size, last: last, stray: len(s.to) == 0}
	}
}

// more takes what there is of a chunk.
func (s *session) more() bool {
	n := min(s.left, len(s.in)-s.at)
	if s.sink.options.OnMessage != nil && !s.stray {
		s.body = append(s.body, s.in[s.at:s.at+n]...)
	}
	s.at, s.left = s.at+n, s.left-n
	if !s.stray {
		s.size += n
	}
	if s.left > 0 {
		return false
	}
	s.under = false
	switch s.chunked = !s.stray; {
	case s.stray:
		s.say("503 5.5.1 RCPT comes first")
	case s.last:
		s.take(s.body)
	default:
		s.say("250 2.0.0 go on")
	}
	return true
}
