package smtp

import (
	"bytes"
	"context"
	"io"
	"net"
	"strings"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/cleversender/cleversender/domain/delivery"
)

func sendAs(ctx context.Context, p *Pool, sender string) <-chan delivery.Reply {
	done := make(chan delivery.Reply, 1)
	go func() { done <- p.Send(ctx, sender+"@example.org", to, []byte(body)) }()
	return done
}

// The next envelope comes with the message before it, to a server that
// pipelines, and to no other.
func TestTravelsTogether(t *testing.T) {
	for _, hello := range []func(string) string{able, polite} {
		synctest.Test(t, func(t *testing.T) {
			both := make(chan struct{})
			p, s := piped(t, "?connections=1", func(q question) string {
				<-both
				if wants := hello("EHLO") == able("EHLO"); q.command == "." && q.sender == "a" && q.together != wants {
					t.Errorf("more came with the message: %v", q.together)
				}
				return hello(q.command)
			})
			a := sendAs(t.Context(), p, "a")
			synctest.Wait()
			b := sendAs(t.Context(), p, "b")
			synctest.Wait()
			close(both)
			if (<-a).Outcome != delivery.Taken || (<-b).Outcome != delivery.Taken || s.messages.Load() != 2 {
				t.Errorf("%d arrived", s.messages.Load())
			}
			_ = p.Close()
		})
	}
}

// A refused recipient in a batch: a DATA that is allowed all the same is ended
// with a lone dot, one that is not with RSET, and the connection goes on. With a
// recipient and no sender a dot would be a message: the connection does not.
func TestRefusedInBatch(t *testing.T) {
	for _, c := range []struct {
		refuse, data string
		want         []string
	}{
		{"RCPT", "354 go on", []string{"MAIL", "RCPT", "DATA", ".", "MAIL", "RCPT", "DATA", "content", ".", "QUIT"}},
		{"RCPT", "503 5.5.1 no", []string{"MAIL", "RCPT", "DATA", "RSET", "MAIL", "RCPT", "DATA", "content", ".", "QUIT"}},
		{"MAIL", "554 5.5.1 no", []string{"MAIL", "RCPT", "DATA", "RSET", "MAIL", "RCPT", "DATA", "content", ".", "QUIT"}},
		{"MAIL", "354 go on", []string{"MAIL", "RCPT", "DATA", "", "EHLO", "MAIL", "RCPT", "DATA", "content", ".", "QUIT"}},
	} {
		synctest.Test(t, func(t *testing.T) {
			p, s := piped(t, "", func(q question) string {
				switch {
				case q.sender == "a" && q.command == c.refuse:
					return "550 5.7.1 no"
				case q.sender == "a" && q.command == "DATA":
					return c.data
				}
				return able(q.command)
			})
			a, b := <-sendAs(t.Context(), p, "a"), <-sendAs(t.Context(), p, "b")
			_ = p.Close()
			synctest.Wait()
			if a.Outcome != delivery.Never || a.Code != 550 || b.Outcome != delivery.Taken || s.messages.Load() != 1 {
				t.Errorf("%+v, %+v, %d complete", a, b, s.messages.Load())
			}
			var heard []string
			for _, q := range s.heard()[2:] { // after greeting and EHLO
				heard = append(heard, q.command)
			}
			if diff := cmp.Diff(c.want, heard); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// A reply before its command is none: the message stays, and the connection is dropped.
func TestAnswersTooEarly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, s := piped(t, "", func(q question) string {
			if q.connection == 1 && q.command == "DATA" {
				return "354 go on\r\n250 2.0.0 already"
			}
			return able(q.command)
		})
		a, b := <-sendAs(t.Context(), p, "a"), <-sendAs(t.Context(), p, "b")
		_ = p.Close()
		if a.Outcome != delivery.NotSent || b.Outcome != delivery.Taken || s.completeOf("a") != 0 {
			t.Errorf("%+v, %+v, %d complete", a, b, s.completeOf("a"))
		}
	})
}

// A reply to nothing is not taken for the answer to the next message.
func TestAnswersTooMuch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, s := piped(t, "", func(q question) string {
			if q.sender == "a" && q.command == "." {
				return "250 fine\r\n554 5.7.0 what was that"
			}
			return able(q.command)
		})
		a, b := <-sendAs(t.Context(), p, "a"), <-sendAs(t.Context(), p, "b")
		_ = p.Close()
		if a.Outcome != delivery.Taken || b.Outcome != delivery.Taken || s.connections.Load() != 2 {
			t.Errorf("%+v, %+v, %d connections", a, b, s.connections.Load())
		}
	})
}

// A reply that comes after we gave up is nobody's.
func TestAnswersTooLate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, s := piped(t, "?data_timeout=1m", func(q question) string {
			if q.command == "." && q.sender == "a" {
				time.Sleep(2 * time.Minute)
			}
			if q.command == "RCPT" && q.sender == "b" {
				return "550 5.1.1 no"
			}
			return able(q.command)
		})
		a, b := sendAs(t.Context(), p, "a"), sendAs(t.Context(), p, "b")
		if r := <-a; r.Outcome != delivery.Unclear {
			t.Errorf("a: %+v", r)
		}
		time.Sleep(5 * time.Minute)
		if r := <-b; r.Outcome != delivery.Never || s.completeOf("b") != 0 {
			t.Errorf("b: %+v", r)
		}
		_ = p.Close()
	})
}

// Slow is not broken: each reply has its own time, and one that takes longer is missing.
func TestSlow(t *testing.T) {
	for pause, want := range map[time.Duration]delivery.Outcome{25 * time.Second: delivery.Taken, 35 * time.Second: delivery.NotSent} {
		for _, only := range []string{"any", "", "EHLO", "MAIL", "RCPT", "DATA"} {
			synctest.Test(t, func(t *testing.T) {
				p, s := piped(t, "?timeout=30s", func(q question) string {
					if q.command == only || only == "any" {
						time.Sleep(pause)
					}
					return able(q.command)
				})
				r := <-sendAs(t.Context(), p, "a")
				if r.Outcome != want {
					t.Errorf("%q after %s: %+v", only, pause, r)
				}
				agree(t, "a", r, s.completeOf("a"))
				_ = p.Close()
				time.Sleep(time.Hour)
			})
		}
	}
}

// octets reads one at a time, however they came.
type octets struct {
	net.Conn
	io.Reader
}

func (o octets) Read(b []byte) (int, error) { return o.Reader.Read(b) }

// Replies mean the same however the network cuts them.
func TestOddPackets(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, _ := piped(t, "", func(q question) string {
			if q.command == "." {
				return "250-2.6.0 it is\r\n250-2.6.0 with us\r\n250 2.6.0 now"
			}
			return able(q.command)
		})
		connect := p.connect
		p.connect = func(ctx context.Context, network, address string) (net.Conn, error) {
			c, err := connect(ctx, network, address)
			return octets{c, iotest.OneByteReader(c)}, err
		}
		want := delivery.Reply{Outcome: delivery.Taken, Code: 250, Enhanced: "2.6.0", Text: "it is\nwith us\nnow"}
		for range 3 {
			if diff := cmp.Diff(want, <-sendAs(t.Context(), p, "a")); diff != "" {
				t.Error(diff)
			}
		}
		_ = p.Close()
	})
}

// A server is told what it offered to hear, and not sent what it cannot take.
func TestParameters(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mails []string
		for _, hello := range []func(string) string{able, polite} {
			p, s := piped(t, "", func(q question) string { return hello(q.command) })
			for _, content := range []string{"plain\r\n", "gr\u00fc\u00df\r\n"} {
				if r := p.Send(t.Context(), from, to, []byte(content)); r.Outcome != delivery.Taken {
					t.Errorf("%+v", r)
				}
			}
			r := p.Send(t.Context(), from, to, bytes.Repeat([]byte("0123456\r\n"), 120_000))
			if tooLarge := r.Outcome == delivery.Never && r.Enhanced == "5.3.4"; tooLarge != (hello("EHLO") == able("EHLO")) {
				t.Errorf("%+v", r)
			}
			_ = p.Close()
			for _, q := range s.heard() {
				if q.command == "MAIL" {
					mails = append(mails, q.line)
				}
			}
		}
		want := []string{
			"MAIL FROM:<news@example.org> SIZE=7", "MAIL FROM:<news@example.org> SIZE=8 BODY=8BITMIME",
			"MAIL FROM:<news@example.org>", "MAIL FROM:<news@example.org>", "MAIL FROM:<news@example.org>",
		}
		if diff := cmp.Diff(want, mails); diff != "" {
			t.Error(diff)
		}
	})
}

// A connection carries so many messages and is idle for so long, and not more.
func TestConnectionEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, s := piped(t, "?connections=1&messages=3&idle=10s", func(q question) string { return able(q.command) })
		var all []<-chan delivery.Reply
		for range 7 {
			all = append(all, sendAs(t.Context(), p, "a"))
		}
		for _, r := range all {
			if r := <-r; r.Outcome != delivery.Taken {
				t.Errorf("%+v", r)
			}
		}
		synctest.Wait()
		if s.connections.Load() != 3 || s.times("QUIT") != 2 {
			t.Errorf("%d connections, %d goodbyes", s.connections.Load(), s.times("QUIT"))
		}
		time.Sleep(11 * time.Second)
		synctest.Wait()
		if s.times("QUIT") != 3 {
			t.Errorf("%d goodbyes after a pause", s.times("QUIT"))
		}
		if r := <-sendAs(t.Context(), p, "a"); r.Outcome != delivery.Taken || s.connections.Load() != 4 {
			t.Errorf("after a pause: %+v, %d connections", r, s.connections.Load())
		}
		_ = p.Close()
	})
}

// failing takes so many octets, and is broken for writing after them.
type failing struct {
	net.Conn
	left int
}

func (f *failing) Write(b []byte) (int, error) {
	n, err := f.Conn.Write(b[:min(f.left, len(b))])
	if f.left -= n; err == nil && n < len(b) {
		err = io.ErrShortWrite
	}
	return n, err
}

// After whichever octet the network breaks, a message that the server cannot
// have is not sent, one that it has is taken, and the one behind it goes over a
// fresh connection at once.
func TestBreaksAtEveryOctet(t *testing.T) {
	for octets, whole := 0, false; !whole; octets++ {
		synctest.Test(t, func(t *testing.T) {
			both := make(chan struct{})
			p, s := piped(t, "?connections=1", func(q question) string { <-both; return able(q.command) })
			connect := p.connect
			p.connect = func(ctx context.Context, network, address string) (net.Conn, error) {
				c, err := connect(ctx, network, address)
				if s.connections.Load() > 1 {
					return c, err
				}
				return &failing{c, octets}, err
			}
			began := time.Now()
			a := sendAs(t.Context(), p, "a")
			synctest.Wait()
			b := sendAs(t.Context(), p, "b")
			synctest.Wait()
			close(both)
			want := delivery.NotSent
			first, second := <-a, <-b
			if s.completeOf("a") == 1 {
				want = delivery.Taken
			}
			if first.Outcome != want || second.Outcome != delivery.Taken || s.completeOf("b") != 1 {
				t.Errorf("after %d octets: %+v, %+v", octets, first, second)
			}
			if waited := time.Since(began); waited > 0 {
				t.Errorf("after %d octets: waited %s", octets, waited)
			}
			whole = s.connections.Load() == 1
			_ = p.Close()
		})
	}
}

// A content written in many pieces that breaks off was not sent.
func TestLargeBreaksOff(t *testing.T) {
	s := listen(t, func(q question) string {
		if q.command == "content" && q.connection == 1 {
			return "drop"
		}
		return able(strings.Replace(q.command, "EHLO", "HELO", 1)) // offers nothing, so no SIZE either
	})
	p := open(t, "smtp://"+s.addr)
	r := p.Send(t.Context(), from, to, bytes.Repeat([]byte(".23456\r\n"), 4<<20))
	if r.Outcome != delivery.NotSent || s.messages.Load() != 0 {
		t.Errorf("%+v, %d complete", r, s.messages.Load())
	}
}
