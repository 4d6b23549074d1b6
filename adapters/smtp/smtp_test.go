package smtp

import (
	"context"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	gosmtp "github.com/emersion/go-smtp"
	"github.com/google/go-cmp/cmp"

	"github.com/cleversender/cleversender/adapters/smtp/catcher"
	"github.com/cleversender/cleversender/domain/delivery"
)

const (
	from = "news@example.org"
	to   = "someone@example.org"
	body = "Subject: hi\r\n\r\n.dots\r\n..\r\nend\r\n"
)

func open(t *testing.T, url string) *Pool {
	t.Helper()
	config, err := Parse(url)
	if err != nil {
		t.Fatal(err)
	}
	p := Open(config)
	t.Cleanup(func() { _ = p.Close() })
	return p
}

func catch(t *testing.T, o catcher.Options) *catcher.Catcher {
	t.Helper()
	c, err := catcher.Listen(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

// What is sent arrives as it was, many at once, over few connections.
func TestSend(t *testing.T) {
	c := catch(t, catcher.Options{Keep: 200})
	p := open(t, c.URL()+"?connections=3&messages=7")
	var wg sync.WaitGroup
	for range 60 {
		wg.Go(func() {
			r := p.Send(t.Context(), from, to, []byte(body))
			if r.Outcome != delivery.Taken || r.Code != 250 || r.Enhanced != "2.0.0" {
				t.Errorf("got %+v", r)
			}
		})
	}
	wg.Wait()
	messages := c.Messages(0, 100)
	if len(messages) != 60 || c.Count() != 60 {
		t.Fatalf("%d arrived", len(messages))
	}
	for _, m := range messages {
		if string(m.Data) != body || m.From != from || !cmp.Equal(m.To, []string{to}) {
			t.Errorf("arrived as %+v", m)
		}
	}
}

// A server's word decides, whenever it is said, and the connection goes on.
func TestReplies(t *testing.T) {
	for _, step := range []string{"MAIL", "RCPT", "DATA", "."} {
		for said, want := range map[string]delivery.Reply{
			"452 4.2.2 full":       {Outcome: delivery.NotNow, Code: 452, Enhanced: "4.2.2", Text: "full"},
			"550 5.1.1 not here":   {Outcome: delivery.Never, Code: 550, Enhanced: "5.1.1", Text: "not here"},
			"554-no\r\n554 really": {Outcome: delivery.Never, Code: 554, Text: "no\nreally"},
		} {
			t.Run(step+said[:3], func(t *testing.T) {
				first := true
				s := serve(t, func(_ int, command string) string {
					if command == step && first {
						first = false
						return said
					}
					return polite(command)
				})
				p := open(t, "smtp://"+s.addr)
				if diff := cmp.Diff(want, p.Send(t.Context(), from, to, []byte(body))); diff != "" {
					t.Error(diff)
				}
				if r := p.Send(t.Context(), from, to, []byte(body)); r.Outcome != delivery.Taken {
					t.Errorf("the next message: %+v", r)
				}
				if n := s.connections.Load(); n != 1 {
					t.Errorf("%d connections", n)
				}
			})
		}
	}
}

// A connection that breaks before the message is complete has delivered
// nothing; one that breaks after it leaves the outcome unclear. Nonsense counts
// as a break.
func TestBreaks(t *testing.T) {
	for _, how := range []string{"drop", "hello?", "silent", "999 what", "354 go on"} {
		for _, step := range []string{"", "EHLO", "MAIL", "RCPT", "DATA", "."} {
			if how == "354 go on" && step == "DATA" {
				continue
			}
			want := delivery.NotSent
			if step == "." {
				want = delivery.Unclear
			}
			s := serve(t, func(_ int, command string) string {
				if command == step {
					return how
				}
				return polite(command)
			})
			p := open(t, "smtp://"+s.addr+"?timeout=100ms&data_timeout=100ms")
			r := p.Send(t.Context(), from, to, []byte(body))
			if r.Outcome != want || r.Code != 0 || strings.Contains(r.Text, "@") {
				t.Errorf("%s at %q: %+v", how, step, r)
			}
		}
	}
}

// A server that says goodbye (421) is asked again over a fresh connection when
// the old one was idle, and believed when it was not.
func TestGoodbye(t *testing.T) {
	for _, step := range []string{"MAIL", "RCPT", "DATA"} {
		for _, how := range []string{"421 4.3.2 going down", "drop"} {
			n := 0 // messages of the first connection
			s := serve(t, func(connection int, command string) string {
				if connection == 1 && command == "MAIL" {
					n++
				}
				if connection == 1 && command == step && n == 2 {
					return how
				}
				return polite(command)
			})
			p := open(t, "smtp://"+s.addr)
			for i := range 2 {
				if r := p.Send(t.Context(), from, to, []byte(body)); r.Outcome != delivery.Taken {
					t.Errorf("%s at %s: message %d: %+v", how, step, i, r)
				}
			}
			if s.connections.Load() != 2 || s.messages.Load() != 2 {
				t.Errorf("%s at %s: %d connections, %d messages", how, step, s.connections.Load(), s.messages.Load())
			}
		}
	}
	s := serve(t, func(_ int, command string) string {
		if command == "MAIL" {
			return "421 4.3.2 going down"
		}
		return polite(command)
	})
	r := open(t, "smtp://"+s.addr).Send(t.Context(), from, to, []byte(body))
	if r.Outcome != delivery.NotNow || r.Code != 421 || s.connections.Load() != 1 {
		t.Errorf("fresh: %+v", r)
	}
}

// A message that may be complete is never sent a second time by itself.
func TestNeverTwice(t *testing.T) {
	n := 0
	s := serve(t, func(_ int, command string) string {
		if command == "." {
			if n++; n == 2 {
				return "drop"
			}
		}
		return polite(command)
	})
	p := open(t, "smtp://"+s.addr)
	p.Send(t.Context(), from, to, []byte(body))
	if r := p.Send(t.Context(), from, to, []byte(body)); r.Outcome != delivery.Unclear || s.messages.Load() != 2 {
		t.Errorf("%+v, %d messages", r, s.messages.Load())
	}
}

// When the context ends before the message is complete, nothing was sent; when
// it ends later, the reply is waited for.
func TestCancel(t *testing.T) {
	for step, want := range map[string]delivery.Outcome{"": delivery.NotSent, "RCPT": delivery.NotSent, "DATA": delivery.NotSent, ".": delivery.Taken} {
		ctx, cancel := context.WithCancel(t.Context())
		s := serve(t, func(_ int, command string) string {
			if command == step {
				cancel()
				if step == "" || step == "RCPT" {
					return "silent"
				}
			}
			return polite(command)
		})
		if r := open(t, "smtp://"+s.addr).Send(ctx, from, to, []byte(body)); r.Outcome != want {
			t.Errorf("at %q: %+v", step, r)
		}
	}
}

// No server, or a pool that is closed: not sent.
func TestUnreachable(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = l.Close()
	p := open(t, "smtp://"+l.Addr().String())
	if r := p.Send(t.Context(), from, to, []byte(body)); r.Outcome != delivery.NotSent {
		t.Errorf("no server: %+v", r)
	}
	_ = p.Close()
	if r := p.Send(t.Context(), from, to, []byte(body)); r.Outcome != delivery.NotSent || r.Text != ErrClosed.Error() {
		t.Errorf("closed: %+v", r)
	}
}

// Addresses that would be commands, or that the server cannot take, are refused here.
func TestAddresses(t *testing.T) {
	c := catch(t, catcher.Options{Keep: 9})
	p := open(t, c.URL())
	for _, bad := range []string{"", "a", "a@", "@b", "a@b>\r\nRSET", "a b@c", "a@b\x00", "a@b>", strings.Repeat("a", 255) + "@b"} {
		if r := p.Send(t.Context(), from, bad, []byte(body)); r.Outcome != delivery.Never || r.Code != 0 {
			t.Errorf("%q: %+v", bad, r)
		}
	}
	for _, good := range []string{"a@bücher.example", "jörg@example.org"} {
		if r := p.Send(t.Context(), from, good, []byte(body)); r.Outcome != delivery.Taken {
			t.Errorf("%q: %+v", good, r)
		}
	}
	if m, _ := c.Message(1); !cmp.Equal(m.To, []string{"a@xn--bcher-kva.example"}) {
		t.Errorf("arrived at %q", m.To)
	}
	s := serve(t, func(_ int, command string) string { return polite(command) }) // offers nothing
	if r := open(t, "smtp://"+s.addr).Send(t.Context(), from, "jörg@example.org", []byte(body)); r.Outcome != delivery.Never || r.Enhanced != "5.6.7" {
		t.Errorf("without SMTPUTF8: %+v", r)
	}
}

// A server may refuse one message of many for reasons of its own.
func TestAnswer(t *testing.T) {
	c := catch(t, catcher.Options{Answer: func(string, []string) error {
		return &gosmtp.SMTPError{Code: 552, EnhancedCode: gosmtp.EnhancedCode{5, 2, 2}, Message: "full"}
	}})
	r := open(t, c.URL()).Send(t.Context(), from, to, []byte(body))
	if diff := cmp.Diff(delivery.Reply{Outcome: delivery.Never, Code: 552, Enhanced: "5.2.2", Text: "full"}, r); diff != "" {
		t.Error(diff)
	}
}

// The URL says how to reach the server; what cannot be meant is refused
// without telling the password.
func TestParse(t *testing.T) {
	for raw, addr := range map[string]string{
		"smtp://mail.example.org": "mail.example.org:25", "smtp://u:p@mail.example.org": "mail.example.org:587",
		"smtps://mail.example.org": "mail.example.org:465", "smtp://[::1]:2525/?starttls=off&idle=1m": "[::1]:2525",
	} {
		if c, err := Parse(raw); err != nil || c.Addr != addr {
			t.Errorf("%s: %s, %v", raw, c.Addr, err)
		}
	}
	for _, raw := range []string{
		"", "mail.example.org", "http://mail.example.org", "smtp://", "smtp://h/path", "smtp://u:secret@h?x=1", "smtp://u:secret@h:port",
		"smtp://h?connections=0", "smtp://h?timeout=1", "smtps://h?starttls=off", "smtp://h?helo=a%0d%0aRSET", "smtp://h?starttls=maybe", "smtp://u:secret@h/%zz",
	} {
		if _, err := Parse(raw); err == nil || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: %v", raw, err)
		}
	}
}

// What tells several servers apart is in the URL, too.
func TestParseOneOfSeveral(t *testing.T) {
	c, err := Parse("smtp://h?name=eu&from=news@a.example,*.b.example&priority=2&rate=600/m&connections=4&messages=50")
	if err != nil || c.Name != "eu" || !slices.Equal(c.From, []string{"news@a.example", "*.b.example"}) || c.Priority != 2 || c.Rate != 10 ||
		c.Connections != 4 || c.PerConn != 50 {
		t.Errorf("%+v, %v", c, err)
	}
	for _, query := range []string{"name=", "name=a+b", "from=", "from=a.example,", "priority=-1", "rate=10", "rate=0/s", "rate=ten/s", "rate=10/w"} {
		if _, err := Parse("smtp://h?" + query); err == nil {
			t.Errorf("%s is taken", query)
		}
	}
}

// Close waits for what is under way.
func TestClose(t *testing.T) {
	arrived, reply := make(chan struct{}), make(chan struct{})
	s := serve(t, func(_ int, command string) string {
		if command == "." {
			close(arrived)
			<-reply
		}
		return polite(command)
	})
	p := open(t, "smtp://"+s.addr)
	done := make(chan delivery.Reply)
	go func() { done <- p.Send(t.Context(), from, to, []byte(body)) }()
	<-arrived
	closed := make(chan struct{})
	go func() { _ = p.Close(); close(closed) }()
	select {
	case <-closed:
		t.Error("closed with a message under way")
	case <-time.After(20 * time.Millisecond):
	}
	close(reply)
	if r := <-done; r.Outcome != delivery.Taken {
		t.Errorf("got %+v", r)
	}
	<-closed
}

// Content arrives as it was, wherever its dots stand.
func TestContent(t *testing.T) {
	c := catch(t, catcher.Options{Keep: 9})
	p := open(t, c.URL())
	for i, s := range []string{"x\r\n", ".\r\n", ".x\r\n.\r\n..\r\n", "x", "\r\n\r\n", "x\r\n.\r\nRSET\r\n"} {
		if r := p.Send(t.Context(), from, to, []byte(s)); r.Outcome != delivery.Taken {
			t.Fatalf("%q: %+v", s, r)
		}
		m, _ := c.Message(i + 1)
		if got := string(m.Data); got != s && got != s+"\r\n" {
			t.Errorf("%q arrived as %q", s, got)
		}
	}
}
