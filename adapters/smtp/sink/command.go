package sink

import "bytes"

// command answers one command (RFC 5321, section 4.1).
func (s *session) command(line []byte) {
	verb, _, _ := bytes.Cut(line, []byte(" "))
	switch string(bytes.ToUpper(verb)) {
	case "MAIL":
		path, ok := pathOf(line)
		switch {
		case s.mail:
			s.say("503 5.5.1 a transaction is under way")
		case !ok:
			s.say("501 5.5.4 no path")
		default:
			s.from, s.mail = append(s.from[:0], path...), true
			s.say("250 2.1.0 fine")
		}
	case "RCPT":
		path, ok := pathOf(line)
		switch {
		case !s.mail:
			s.say("503 5.5.1 MAIL comes first")
		case !ok || len(path) == 0:
			s.say("501 5.5.4 no path")
		case len(s.to) >= 1000: // RFC 5321, section 4.5.3.1.10
			s.say("452 4.5.3 too many recipients")
		default:
			s.recipient(path)
			s.say("250 2.1.5 fine")
		}
	case "DATA":
		if len(s.to) == 0 || s.chunked { // RFC 3030, section 2
			s.say("503 5.5.1 RCPT comes first")
			return
		}
		s.content, s.begun = true, s.at
		s.say("354 go on")
	case "BDAT":
		s.begin(line)
	case "RSET":
		s.reset()
		s.say("250 2.0.0 fine")
	case "NOOP":
		s.say("250 2.0.0 fine")
	case "EHLO":
		s.reset()
		s.hello()
	case "HELO":
		s.reset()
		s.say("250 sink.invalid")
	case "QUIT":
		s.over = true
		s.say("221 2.0.0 bye")
	default:
		s.say("502 5.5.1 no such command here")
	}
}

func (s *session) hello() {
	reply := "250-sink.invalid\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n250-ENHANCEDSTATUSCODES\r\n"
	if !s.sink.options.NoPipelining {
		reply += "250-PIPELINING\r\n"
	}
	if !s.sink.options.NoChunking {
		reply += "250-CHUNKING\r\n"
	}
	s.say(reply + "250 SIZE 67108864") // maxData
}

// recipient keeps one more, in the memory of an earlier transaction's.
func (s *session) recipient(path []byte) {
	if n := len(s.to); n < cap(s.to) {
		s.to = s.to[:n+1]
		s.to[n] = append(s.to[n][:0], path...)
		return
	}
	s.to = append(s.to, bytes.Clone(path))
}

func (s *session) reset() {
	s.mail, s.from, s.to = false, s.from[:0], s.to[:0]
	s.chunked, s.body, s.size = false, s.body[:0], 0
}

func pathOf(line []byte) ([]byte, bool) {
	_, path, opened := bytes.Cut(line, []byte("<"))
	path, _, closed := bytes.Cut(path, []byte(">"))
	return path, opened && closed
}
