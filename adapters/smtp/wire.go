package smtp

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"net/textproto"
	"strings"
	"time"
)

// timed gives every write a deadline: go-smtp sets none while a message's
// content is written.
type timed struct {
	net.Conn
	timeout time.Duration
}

func (t *timed) Write(b []byte) (int, error) {
	if err := t.SetWriteDeadline(time.Now().Add(t.timeout)); err != nil {
		return 0, err
	}
	return t.Conn.Write(b)
}

// content is a message without its last line end, dots at the start of lines
// doubled (RFC 5321, section 4.5.2).
func content(msg []byte) []byte {
	msg = bytes.TrimSuffix(msg, []byte("\r\n"))
	if !bytes.HasPrefix(msg, []byte(".")) && !bytes.Contains(msg, []byte("\n.")) {
		return msg
	}
	stuffed := bytes.ReplaceAll(msg, []byte("\n."), []byte("\n.."))
	if stuffed[0] == '.' {
		stuffed = append([]byte("."), stuffed...)
	}
	return stuffed
}

// starttls says STARTTLS and reads its reply, no octet further: what follows
// belongs to TLS, and an attacker's octets in front of it to nobody.
func starttls(wire net.Conn) error {
	if _, err := wire.Write([]byte("STARTTLS\r\n")); err != nil {
		return err
	}
	var line []byte
	for one := make([]byte, 1); ; {
		if _, err := wire.Read(one); err != nil {
			return err
		}
		line = append(line, one[0])
		if one[0] == '\n' {
			break
		}
		if len(line) > 2000 {
			return errors.New("smtp: a line too long in reply to STARTTLS")
		}
	}
	text := strings.TrimSpace(string(line))
	if !strings.HasPrefix(text, "220 ") && text != "220" {
		return fmt.Errorf("smtp: STARTTLS: %w", &textproto.Error{Code: 0, Msg: "the server said no"})
	}
	return nil
}

// greeted plays a greeting to a client that expects one: after STARTTLS the
// server sends none (RFC 3207, section 4.2).
type greeted struct {
	net.Conn
	played int
}

const greeting = "220 \r\n"

func (g *greeted) Read(b []byte) (int, error) {
	if g.played < len(greeting) {
		n := copy(b, greeting[g.played:])
		g.played += n
		return n, nil
	}
	return g.Conn.Read(b)
}
