package smtp

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"strings"

	"github.com/cleversender/cleversender/domain/delivery"
)

// A server's words are bounded: of a line the first maxLine octets are kept,
// and a reply of more than maxReply is none. RFC 5321, section 4.5.3.1.5,
// allows a line of 512.
const (
	maxLine  = 4 << 10
	maxReply = 64 << 10
)

// closing is the reply of a server that ends the connection, at any time (RFC 5321, section 3.8).
const closing = 421

var (
	// errLost stands for whatever the network said.
	errLost = errors.New("the connection to the mail server was lost")
	// errNonsense: the replies are out of step, or no replies at all.
	errNonsense = errors.New("the server's reply made no sense")
)

// said is a server's reply to one command.
type said struct {
	code int
	text []byte // lines parted by "\n"; good until the next reply is read
}

func (s said) class() int    { return s.code / 100 }
func (s said) refuses() bool { return s.class() == 4 || s.class() == 5 }

// readReply reads one reply, of one line or many (RFC 5321, section 4.2), into text.
func readReply(r *bufio.Reader, text []byte) (said, error) {
	s := said{text: text[:0]}
	for read := 0; ; {
		line, err := r.ReadSlice('\n')
		if err != nil && !errors.Is(err, bufio.ErrBufferFull) {
			return s, errLost
		}
		code, more, words, ok := readLine(line)
		if !ok || s.code != 0 && code != s.code {
			return s, errNonsense
		}
		if s.code != 0 {
			s.text = append(s.text, '\n')
		}
		s.code, s.text = code, append(s.text, words...)
		for read += len(line); err != nil; read += len(line) { // the rest of a line too long
			if read > maxReply {
				return s, errNonsense
			}
			if line, err = r.ReadSlice('\n'); err != nil && !errors.Is(err, bufio.ErrBufferFull) {
				return s, errLost
			}
		}
		if read > maxReply {
			return s, errNonsense
		}
		if !more {
			return s, nil
		}
	}
}

func readLine(line []byte) (code int, more bool, words []byte, ok bool) {
	line = bytes.TrimRight(line, "\r\n")
	if len(line) < 3 {
		return 0, false, nil, false
	}
	for _, d := range line[:3] {
		if d < '0' || d > '9' {
			return 0, false, nil, false
		}
		code = 10*code + int(d-'0')
	}
	if code < 200 || code > 599 {
		return 0, false, nil, false
	}
	if len(line) == 3 {
		return code, false, nil, true
	}
	return code, line[3] == '-', line[4:], line[3] == '-' || line[3] == ' '
}

// outcome is what a reply means for the message (RFC 5321, section 4.2.1).
func (s said) outcome() delivery.Reply {
	r := delivery.Reply{Outcome: delivery.Unclear, Code: s.code}
	switch s.class() {
	case 2:
		r.Outcome = delivery.Taken
	case 4:
		r.Outcome = delivery.NotNow
	case 5:
		r.Outcome = delivery.Never
	default: // nothing to say after a message (RFC 5321, section 4.3.2)
		return delivery.Reply{Outcome: delivery.Unclear, Text: errNonsense.Error()}
	}
	r.Enhanced, r.Text = splitEnhanced(string(s.text))
	return r
}

// refusal is a reply as an error, its words left out: they may quote anything.
func (s said) refusal(of string) error {
	enhanced, _ := splitEnhanced(string(s.text))
	return fmt.Errorf("the mail server answers %s with %s", of, strings.TrimSpace(fmt.Sprint(s.code, " ", enhanced)))
}

// splitEnhanced takes an enhanced code off the front of each line (RFC 2034, section 4).
func splitEnhanced(s string) (enhanced, text string) {
	first, rest, _ := strings.Cut(s, " ")
	if !isEnhanced(first) {
		return "", tidy(s)
	}
	if strings.Contains(rest, "\n") {
		rest = strings.ReplaceAll(rest, "\n"+first+" ", "\n")
	}
	return first, tidy(rest)
}

// isEnhanced: three numbers of up to three digits parted by dots (RFC 3463, section 2).
func isEnhanced(s string) bool {
	dots, digits := 0, 0
	for i := range len(s) {
		switch {
		case s[i] >= '0' && s[i] <= '9' && digits < 3:
			digits++
		case s[i] == '.' && digits > 0:
			dots, digits = dots+1, 0
		default:
			return false
		}
	}
	return dots == 2 && digits > 0
}

// tidy bounds a reply and makes text of it.
func tidy(s string) string {
	return strings.ToValidUTF8(s[:min(len(s), delivery.MaxReply)], "\uFFFD")
}
