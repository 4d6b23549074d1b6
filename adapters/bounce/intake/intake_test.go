package intake

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"net/smtp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cleversender/cleversender/adapters/bounce"
)

const (
	ours  = "b-one@bounces.sender.example"
	other = "b-two@bounces.sender.example"
)

// box records what it is handed, and answers fail.
type box struct {
	mu   sync.Mutex
	got  []Received
	fail error
	log  bytes.Buffer
}

func (b *box) handle(_ context.Context, r Received) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.fail != nil {
		return b.fail
	}
	r.Data = bytes.Clone(r.Data)
	b.got = append(b.got, r)
	return nil
}

func (b *box) received() []Received {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.got
}

func listen(t *testing.T, o Options) (*Server, *box) {
	t.Helper()
	b := &box{}
	if o.Handle == nil {
		o.Handle = b.handle
	}
	o.Addr, o.Hostname, o.Domains = "127.0.0.1:0", "mx.sender.example", []string{"bounces.sender.example"}
	o.Logger = slog.New(slog.NewTextHandler(&b.log, nil))
	s, err := Listen(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s, b
}

// talk is a conversation, line by line.
type talk struct {
	t *testing.T
	net.Conn
	*bufio.Reader
}

func dial(t *testing.T, s *Server) *talk {
	t.Helper()
	conn, err := net.Dial("tcp", s.Addr())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return &talk{t, conn, bufio.NewReader(conn)}
}

func (c *talk) say(text string) {
	c.t.Helper()
	if _, err := io.WriteString(c.Conn, text); err != nil {
		c.t.Fatal(err)
	}
}

// hear reads a whole reply, which is to begin with one of the codes.
func (c *talk) hear(want string) {
	c.t.Helper()
	for {
		line, err := c.ReadString('\n')
		if err != nil || !strings.HasPrefix(line, want[:3]) {
			c.t.Fatalf("%q, %v; want %s", line, err, want)
		}
		if line[3] == ' ' {
			if !strings.HasPrefix(line, want) {
				c.t.Fatalf("%q, want %s", line, want)
			}
			return
		}
	}
}

func (c *talk) greet() {
	c.t.Helper()
	c.hear("220 mx.sender.example")
	c.say("EHLO mx.recipient.example\r\n")
	c.hear("250")
}

// A bounce from a real client, with the null sender, arrives whole, once for
// each recipient.
func TestTakes(t *testing.T) {
	s, b := listen(t, Options{})
	c := dial(t, s)
	c.greet()
	c.say("MAIL FROM:<>\r\n")
	c.hear("250")
	c.say("RCPT TO:<" + ours + ">\r\nRCPT TO:<" + strings.ToUpper(other) + ">\r\nDATA\r\n")
	c.hear("250")
	c.hear("250")
	c.hear("354")
	c.say("Subject: failure notice\r\n\r\n..dot\r\n.\r\n")
	c.hear("250")
	got := b.received()
	if len(got) != 2 || got[0].From != "" || got[0].To != ours || got[1].To != strings.ToUpper(other) ||
		string(got[0].Data) != "Subject: failure notice\r\n\r\n.dot\r\n" {
		t.Errorf("%q", got)
	}
	if err := smtp.SendMail(s.Addr(), nil, "staff@provider.example", []string{ours}, []byte("Subject: complaint\r\n\r\nx\r\n")); err != nil {
		t.Error(err)
	}
	if got := b.received(); len(got) != 3 || got[2].From != "staff@provider.example" {
		t.Errorf("%q", got)
	}
}

// Mail to others is not ours to take: no open relay.
func TestRefusesRelay(t *testing.T) {
	s, b := listen(t, Options{})
	c := dial(t, s)
	c.greet()
	c.say("MAIL FROM:<a@x.example>\r\n")
	c.hear("250")
	for _, to := range []string{"ann@recipient.example", "ann@sub.bounces.sender.example", "ann%x@sender.example", `"b@bounces.sender.example"@x.example`} {
		c.say("RCPT TO:<" + to + ">\r\n")
		c.hear("550 5.7.1")
	}
	c.say("DATA\r\n")
	c.hear("502")
	if got := b.received(); len(got) != 0 {
		t.Errorf("%q", got)
	}
}

// What could not be recorded is not acknowledged, and is taken when it comes
// again; the log says so without a word of the mail.
func TestNotRecorded(t *testing.T) {
	s, b := listen(t, Options{})
	b.fail = errors.New("the disk is full")
	c := dial(t, s)
	c.greet()
	send := func(want string) {
		c.say("MAIL FROM:<ann@recipient.example>\r\nRCPT TO:<" + ours + ">\r\nDATA\r\n")
		c.hear("250")
		c.hear("250")
		c.hear("354")
		c.say("Subject: secret\r\n\r\nsecret\r\n.\r\n")
		c.hear(want)
	}
	send("451 4.3.0")
	b.mu.Lock()
	b.fail = nil
	b.mu.Unlock()
	send("250")
	if len(b.received()) != 1 {
		t.Error("taken", len(b.received()), "times")
	}
	if text := b.log.String(); !strings.Contains(text, "disk is full") || strings.Contains(text, "secret") || strings.Contains(text, "@") {
		t.Errorf("log: %s", text)
	}
}

// A handler that panics has not recorded: no 250, and the server goes on.
func TestHandlerPanics(t *testing.T) {
	s, _ := listen(t, Options{Handle: func(context.Context, Received) error { panic("a bug") }})
	for range 2 {
		if err := smtp.SendMail(s.Addr(), nil, "a@x.example", []string{ours}, []byte("Subject: x\r\n\r\nx\r\n")); err == nil {
			t.Error("acknowledged")
		}
	}
}

// Too large a mail is refused by its declared and by its true size; of a large
// one that is taken, the beginning is kept.
func TestSizes(t *testing.T) {
	s, b := listen(t, Options{MaxBytes: bounce.MaxBytes + 1000})
	c := dial(t, s)
	c.greet()
	c.say("MAIL FROM:<> SIZE=99999999\r\n")
	c.hear("552 5.3.4")
	send := func(lines int, want string) {
		c.say("MAIL FROM:<>\r\nRCPT TO:<" + ours + ">\r\nDATA\r\n")
		c.hear("250")
		c.hear("250")
		c.hear("354")
		c.say(strings.Repeat(strings.Repeat("x", 98)+"\r\n", lines) + ".\r\n")
		c.hear(want)
	}
	send(bounce.MaxBytes/50, "552 5.3.4")
	if len(b.received()) != 0 {
		t.Fatal("took what is too large")
	}
	send(bounce.MaxBytes/100+5, "250")
	if got := b.received(); len(got) != 1 || len(got[0].Data) != bounce.MaxBytes {
		t.Errorf("%d mails", len(got))
	}
}

// More recipients than a report can have are put off.
func TestTooManyRecipients(t *testing.T) {
	s, b := listen(t, Options{})
	c := dial(t, s)
	c.greet()
	c.say("MAIL FROM:<>\r\n")
	c.hear("250")
	for i := range MaxRecipients {
		c.say(fmt.Sprintf("RCPT TO:<b-%d@bounces.sender.example>\r\n", i))
		c.hear("250")
	}
	c.say("RCPT TO:<" + ours + ">\r\n")
	c.hear("452 4.5.3")
	c.say("DATA\r\n")
	c.hear("354")
	c.say("Subject: x\r\n\r\n.\r\n")
	c.hear("250")
	if got := len(b.received()); got != MaxRecipients {
		t.Error(got)
	}
}

// Several mails may come in one write.
func TestPipelined(t *testing.T) {
	s, b := listen(t, Options{})
	c := dial(t, s)
	c.greet()
	var all strings.Builder
	for i := range 20 {
		fmt.Fprintf(&all, "MAIL FROM:<>\r\nRCPT TO:<b-%d@bounces.sender.example>\r\nDATA\r\nSubject: %d\r\n\r\nx\r\n.\r\n", i, i)
	}
	c.say(all.String())
	for range 20 {
		c.hear("250")
		c.hear("250")
		c.hear("354")
		c.hear("250")
	}
	for i, r := range b.received() {
		if r.To != fmt.Sprintf("b-%d@bounces.sender.example", i) || !strings.HasPrefix(string(r.Data), fmt.Sprintf("Subject: %d\r\n", i)) {
			t.Errorf("%d: %q", i, r)
		}
	}
	if len(b.received()) != 20 {
		t.Error(len(b.received()))
	}
}

// A client that sends a byte now and then, or a command now and then, is hung
// up on; so is one that never ends its mail.
func TestSlowClients(t *testing.T) {
	for name, o := range map[string]Options{
		"a line without end": {Timeout: 50 * time.Millisecond},
		"a mail without end": {Timeout: 50 * time.Millisecond},
		"commands for ever":  {Session: 50 * time.Millisecond},
	} {
		t.Run(name, func(t *testing.T) {
			s, b := listen(t, o)
			c := dial(t, s)
			text := "x"
			switch name {
			case "a mail without end":
				c.say("EHLO x\r\nMAIL FROM:<>\r\nRCPT TO:<" + ours + ">\r\nDATA\r\n")
				text = "x\r\n"
			case "commands for ever":
				text = "NOOP\r\n"
			}
			go func() {
				for {
					if _, err := io.WriteString(c.Conn, text); err != nil {
						return
					}
					time.Sleep(5 * time.Millisecond)
				}
			}()
			_, _ = io.Copy(io.Discard, c.Reader) // ends when the server hangs up
			if len(b.received()) != 0 {
				t.Error("took something")
			}
		})
	}
}

// comeLater dials until the server has room.
func comeLater(t *testing.T, s *Server) {
	t.Helper()
	for {
		c := dial(t, s)
		if line, err := c.ReadString('\n'); err != nil {
			t.Fatal(err)
		} else if strings.HasPrefix(line, "220") {
			return
		}
	}
}

// Clients that are too many are told to come later, and may when others left.
func TestTooManyClients(t *testing.T) {
	for name, o := range map[string]Options{"in all": {Connections: 2}, "from one host": {PerHost: 2}} {
		t.Run(name, func(t *testing.T) {
			s, _ := listen(t, o)
			one, two := dial(t, s), dial(t, s)
			one.hear("220")
			two.hear("220")
			three := dial(t, s)
			three.hear("421 4.7.0")
			if _, err := three.ReadByte(); err != io.EOF {
				t.Error(err)
			}
			one.say("QUIT\r\n")
			one.hear("221")
			comeLater(t, s)
		})
	}
}

// A client that goes away in the middle leaves nothing.
func TestCutOff(t *testing.T) {
	s, b := listen(t, Options{Connections: 1})
	c := dial(t, s)
	c.greet()
	c.say("MAIL FROM:<>\r\nRCPT TO:<" + ours + ">\r\nDATA\r\nSubject: x\r\n\r\nhalf")
	c.hear("250")
	c.hear("250")
	c.hear("354")
	_ = c.Close()
	comeLater(t, s) // the session is over
	if len(b.received()) != 0 {
		t.Error("took half a mail")
	}
}

// Close waits for what is being handled, whose context it ends.
func TestCloseWaits(t *testing.T) {
	entered, ended := make(chan bool), false
	s, _ := listen(t, Options{Handle: func(ctx context.Context, _ Received) error {
		close(entered)
		<-ctx.Done()
		ended = true
		return ctx.Err()
	}})
	go func() {
		_ = smtp.SendMail(s.Addr(), nil, "a@x.example", []string{ours}, []byte("Subject: x\r\n\r\nx\r\n"))
	}()
	<-entered
	if err := s.Close(); err != nil || !ended {
		t.Error(err, ended)
	}
}

// An IPv6 network counts as one host.
func TestHostOf(t *testing.T) {
	at := func(s string) string { return hostOf(net.TCPAddrFromAddrPort(netip.MustParseAddrPort(s))).String() }
	for addr, want := range map[string]string{
		"192.0.2.1:25": "192.0.2.1/32", "[::ffff:192.0.2.1]:9": "192.0.2.1/32", "[2001:db8::1]:25": "2001:db8::/64", "[2001:db8::ff:1]:26": "2001:db8::/64",
	} {
		if got := at(addr); got != want {
			t.Errorf("%s: %s, want %s", addr, got, want)
		}
	}
}
