package smtp

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/cleversender/cleversender/domain/delivery"
)

// behind sends messages while the connection is busy with one, and with the chunk
// that has to go well first, so that they leave together, and gives the replies
// by sender. release lets the server speak.
func behind(ctx context.Context, p *Pool, release chan struct{}, senders ...string) map[string]delivery.Reply {
	done := map[string]<-chan delivery.Reply{}
	for _, s := range append([]string{"first", "chunk"}, senders...) {
		done[s] = sendAs(ctx, p, s)
		synctest.Wait()
	}
	close(release)
	replies := map[string]delivery.Reply{}
	for s, reply := range done {
		replies[s] = <-reply
	}
	return replies
}

func commands(s *script) (all []string) {
	for _, q := range s.heard()[2:] { // after greeting and EHLO
		all = append(all, q.command)
	}
	return all
}

// What waits leaves whole and together once the connection has carried a
// message; what comes alone, or may not, does not.
func TestBurst(t *testing.T) {
	alone, whole := []string{"MAIL", "RCPT", "DATA", "content", "."}, []string{"MAIL", "RCPT", "BDAT", "RSET"}
	unpipelined := func(command string) string {
		return strings.Replace(capable(command), "250-PIPELINING\r\n", "", 1)
	}
	for _, c := range []struct {
		hello    func(string) string
		settings string
		ahead    bool // an envelope
		want     []string
	}{
		{capable, "", false, slices.Concat(alone, whole, whole, whole)},
		{capable, "&burst=1", true, slices.Concat(alone, alone, alone, alone)},
		{unpipelined, "", false, slices.Concat(alone, alone, alone, alone)},
	} {
		synctest.Test(t, func(t *testing.T) {
			release := make(chan struct{})
			p, s := piped(t, "?connections=1"+c.settings, func(q question) string {
				<-release
				if q.command == "RSET" && q.together != (q.sender == "a") || q.command == "." && q.sender == "first" && q.together != c.ahead {
					t.Errorf("%s: more came: %v", q.command, q.together)
				}
				return c.hello(q.command)
			})
			for sender, r := range behind(t.Context(), p, release, "a", "b") {
				if r.Outcome != delivery.Taken || s.completeOf(sender) != 1 {
					t.Errorf("%s: %+v, %d times", sender, r, s.completeOf(sender))
				}
			}
			_ = p.Close()
			synctest.Wait()
			if diff := cmp.Diff(append(c.want, "QUIT"), commands(s)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// A connection that has been idle may be gone: what comes next is asked for,
// and goes over a fresh one when it is.
func TestBurstAfterPause(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, s := piped(t, "", func(q question) string {
			if q.connection == 1 && q.command == "MAIL" && q.sender == "b" {
				return "drop"
			}
			return capable(q.command)
		})
		for _, sender := range []string{"a", "b"} {
			if r := <-sendAs(t.Context(), p, sender); r.Outcome != delivery.Taken || s.completeOf(sender) != 1 {
				t.Errorf("%s: %+v", sender, r)
			}
			time.Sleep(time.Second)
		}
		_ = p.Close()
	})
}

// A server that broke off in a burst gets no other for a while.
func TestNoBurstAfterABreak(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		p, s := piped(t, "?connections=1&idle=3h", func(q question) string {
			if <-release; q.command == "BDAT" && q.sender == "b" {
				return "drop"
			}
			return capable(q.command)
		})
		behind(t.Context(), p, release, "a", "b", "c")
		for _, c := range []struct {
			pause time.Duration
			want  int32
		}{{0, 0}, {distrusted - time.Second, 0}, {2 * time.Second, 4}} {
			time.Sleep(c.pause)
			before := s.times("BDAT")
			done := behind(t.Context(), p, make(chan struct{}), "d", "e", "f")
			if n := s.times("BDAT") - before; n != int(c.want) || done["f"].Outcome != delivery.Taken {
				t.Errorf("after %s %d leave together", c.pause, n)
			}
		}
		_ = p.Close()
	})
}

// What a server refuses in a burst is refused alone, whatever of it is refused,
// and the connection goes on with a clean transaction.
func TestRefusedInBurst(t *testing.T) {
	for _, c := range []struct {
		name    string
		answers map[string]string // to b's commands
		want    delivery.Reply
	}{
		{"sender", map[string]string{"MAIL": "550 5.7.1 no", "RCPT": "503 5.5.1 MAIL", "BDAT": "503 5.5.1 MAIL"}, delivery.Reply{Outcome: delivery.Never, Code: 550}},
		{"recipient", map[string]string{"RCPT": "450 4.2.1 later", "BDAT": "554 5.5.1 nobody"}, delivery.Reply{Outcome: delivery.NotNow, Code: 450}},
		{"message", map[string]string{"BDAT": "552 5.3.4 large"}, delivery.Reply{Outcome: delivery.Never, Code: 552}},
	} {
		for _, order := range [][]string{{"a", "b", "c"}, {"b", "a", "c"}, {"a", "c", "b"}} {
			t.Run(fmt.Sprint(c.name, order), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					release := make(chan struct{})
					clean := map[int]bool{} // no transaction is under way
					p, s := piped(t, "?connections=1", func(q question) string {
						<-release
						switch q.command {
						case "MAIL":
							if !clean[q.connection] {
								return "503 5.5.1 nested"
							}
							clean[q.connection] = false
						case "EHLO", "RSET", ".":
							clean[q.connection] = true
						}
						if answer := c.answers[q.command]; answer != "" && q.sender == "b" {
							return answer
						}
						clean[q.connection] = clean[q.connection] || q.command == "BDAT"
						return capable(q.command)
					})
					replies := behind(t.Context(), p, release, order...)
					if b := replies["b"]; b.Outcome != c.want.Outcome || b.Code != c.want.Code || s.completeOf("b") != 0 {
						t.Errorf("b: %+v", b)
					}
					after := sendAs(t.Context(), p, "after")
					if a, c, after := replies["a"], replies["c"], <-after; a.Outcome != delivery.Taken || c.Outcome != delivery.Taken || after.Outcome != delivery.Taken {
						t.Errorf("%+v, %+v, %+v", a, c, after)
					}
					_ = p.Close()
					if s.connections.Load() != 1 || s.messages.Load() != 5 {
						t.Errorf("%d connections, %d messages", s.connections.Load(), s.messages.Load())
					}
				})
			})
		}
	}
}

// A server that says goodbye in the middle of a burst has not looked at what
// came behind: it goes over a fresh connection, in the same order. One that says
// more, or stays, has perhaps.
func TestGoodbyeInBurst(t *testing.T) {
	for _, step := range []string{"RSET", "MAIL", "RCPT", "BDAT"} {
		for _, more := range []string{"", "\r\n250 2.0.0 fine", " but lingers"} {
			synctest.Test(t, func(t *testing.T) {
				release := make(chan struct{})
				p, s := piped(t, "?connections=1", func(q question) string {
					<-release
					if q.connection > 1 || q.command != step || q.sender != "b" {
						return capable(q.command)
					}
					return "421 4.3.2 bye" + more
				})
				began := time.Now()
				replies := behind(t.Context(), p, release, "a", "b", "c", "d")
				_ = p.Close()
				for sender, r := range replies {
					want := delivery.Taken
					if more != "" && (sender == "c" || sender == "d") {
						want = delivery.Unclear
					}
					if r.Outcome != want {
						t.Errorf("%s%s: %s: %+v", step, more, sender, r)
					}
					agree(t, sender, r, s.completeOf(sender))
				}
				if waited := time.Since(began); waited > 0 && more != " but lingers" || s.connections.Load() > 2 {
					t.Errorf("%s%s: waited %s, %d connections", step, more, waited, s.connections.Load())
				}
				fresh := ""
				for _, q := range s.heard() {
					if q.connection == 2 && q.command == "MAIL" {
						fresh += q.sender
					}
				}
				want := "b"
				if step == "RSET" {
					want = "" // answered before
				}
				if more == "" {
					want += "cd"
				}
				if fresh != want {
					t.Errorf("%s%s: %s came after it", step, more, fresh)
				}
			})
		}
	}
}

// After whichever octet of a burst the network breaks, a message that the
// server cannot have goes over a fresh connection, and of one that it has we know.
func TestBurstBreaksAtEveryOctet(t *testing.T) {
	for octets, whole := 0, false; !whole; octets++ {
		synctest.Test(t, func(t *testing.T) {
			release := make(chan struct{})
			p, s := piped(t, "?connections=1", func(q question) string { <-release; return capable(q.command) })
			connect := p.connect
			p.connect = func(ctx context.Context, network, address string) (net.Conn, error) {
				c, err := connect(ctx, network, address)
				if s.connections.Load() > 1 {
					return c, err
				}
				return &failing{c, octets}, err
			}
			for sender, r := range behind(t.Context(), p, release, "a", "b", "c") {
				want := delivery.Taken
				if sender == "first" && s.completeOf(sender) == 0 {
					want = delivery.NotSent
				}
				if r.Outcome != want || want == delivery.Taken && s.completeOf(sender) != 1 {
					t.Errorf("after %d octets: %s: %+v, complete %d times", octets, sender, r, s.completeOf(sender))
				}
			}
			whole = s.connections.Load() == 1
			_ = p.Close()
		})
	}
}

// A message that nobody is to get is refused, also when the connection breaks before
// its content is answered.
func TestRefusedBeforeABreak(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		p, _ := piped(t, "?connections=1", func(q question) string {
			<-release
			switch {
			case q.sender == "a" && q.command == "RCPT":
				return "550 5.1.1 no"
			case q.sender == "a" && q.command == "BDAT":
				return "drop"
			}
			return capable(q.command)
		})
		replies := behind(t.Context(), p, release, "a", "b")
		if a, b := replies["a"], replies["b"]; a.Outcome != delivery.Never || a.Code != 550 || b.Outcome != delivery.Unclear {
			t.Errorf("%+v, %+v", a, b)
		}
		_ = p.Close()
	})
}

// Slow is not broken, but a server that answers too late has the burst, or has
// not: nobody knows.
func TestBurstAnsweredLate(t *testing.T) {
	for _, pause := range []time.Duration{45 * time.Second, 2 * time.Minute} {
		synctest.Test(t, func(t *testing.T) {
			release := make(chan struct{})
			p, s := piped(t, "?connections=1&timeout=30s&data_timeout=1m", func(q question) string {
				<-release
				if q.command == "BDAT" && q.sender == "b" {
					time.Sleep(pause)
				}
				return capable(q.command)
			})
			for sender, r := range behind(t.Context(), p, release, "a", "b", "c") {
				want := delivery.Taken
				if pause > time.Minute && (sender == "b" || sender == "c") {
					want = delivery.Unclear
				}
				if r.Outcome != want {
					t.Errorf("%s after %s: %+v", sender, pause, r)
				}
			}
			_ = p.Close()
			time.Sleep(time.Hour)
			if s.completeOf("b") != 1 || s.connections.Load() != 1 {
				t.Errorf("b came %d times; %d connections", s.completeOf("b"), s.connections.Load())
			}
		})
	}
}

// When bursts are due again, what has begun by DATA ends by it.
func TestBurstsDueAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release, again := make(chan struct{}), make(chan struct{})
		p, s := piped(t, "?connections=1&idle=3h", func(q question) string {
			switch <-release; {
			case q.command == "BDAT" && q.sender == "a":
				return "drop"
			case q.command == "." && q.sender == "b": // c's envelope is there
				<-again
				time.Sleep(2 * time.Second)
			}
			return capable(q.command)
		})
		behind(t.Context(), p, release, "a")
		time.Sleep(distrusted - time.Second)
		b := sendAs(t.Context(), p, "b")
		c := sendAs(t.Context(), p, "c")
		synctest.Wait()
		close(again)
		if b, c := <-b, <-c; b.Outcome != delivery.Taken || c.Outcome != delivery.Taken || s.completeOf("c") != 1 || s.times("BDAT") != 2 || s.connections.Load() != 2 {
			t.Errorf("%+v, %+v, %d chunks, %d connections", b, c, s.times("BDAT"), s.connections.Load())
		}
		_ = p.Close()
	})
}

// A caller whose context ends has a message back that waits, at no cost to
// others, and the reply to one that has left.
func TestCancelBurst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release, reply := make(chan struct{}), make(chan struct{})
		p, s := piped(t, "?connections=1&burst=2", func(q question) string {
			<-release
			if q.command == "BDAT" && q.sender == "b" {
				<-reply
			}
			return capable(q.command)
		})
		ctx, cancel := context.WithCancel(t.Context())
		done := map[string]<-chan delivery.Reply{"first": sendAs(t.Context(), p, "first")}
		synctest.Wait()
		for _, sender := range []string{"chunk", "a", "b", "c", "d"} {
			done[sender] = sendAs(ctx, p, sender)
			synctest.Wait()
		}
		done["e"] = sendAs(t.Context(), p, "e")
		synctest.Wait()
		close(release)
		synctest.Wait() // a and b are with the server, which has not answered b
		cancel()
		synctest.Wait()
		if c, d := <-done["c"], <-done["d"]; c.Outcome != delivery.NotSent || d.Outcome != delivery.NotSent {
			t.Errorf("%+v, %+v", c, d)
		}
		close(reply)
		for _, sender := range []string{"first", "chunk", "a", "b", "e"} {
			if r := <-done[sender]; r.Outcome != delivery.Taken || s.completeOf(sender) != 1 {
				t.Errorf("%s: %+v", sender, r)
			}
		}
		_ = p.Close()
		if s.messages.Load() != 5 || s.connections.Load() != 1 {
			t.Errorf("%d messages, %d connections", s.messages.Load(), s.connections.Load())
		}
	})
}

// A burst holds so many messages and octets, and a connection so many
// messages; what the server cannot take is no part of it, and what is larger
// than a burst goes by itself.
func TestBurstIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		p, s := piped(t, "?connections=1&burst=3&messages=12", func(q question) string {
			<-release
			return capable(q.command)
		})
		const foreign = 7 // an address that the server does not take
		sizes := []int{0, 10, foreign, 10, 10, 10, 2_000_000, 40_000, 20_000, 20_000, maxPiece + 1, maxPiece, 10, 10, 10}
		var done []<-chan delivery.Reply
		for i, size := range sizes {
			reply := make(chan delivery.Reply, 1)
			go func() {
				to := map[bool]string{false: to, true: "j\u00f6rg@example.org"}[size == foreign]
				reply <- p.Send(t.Context(), fmt.Sprintf("m%d@example.org", i), to, bytes.Repeat([]byte("x"), size))
			}()
			done = append(done, reply)
			synctest.Wait()
		}
		close(release)
		for i, reply := range done {
			if r := <-reply; (r.Outcome == delivery.Taken) != (sizes[i] < 1_000_000 && sizes[i] != foreign) || r.Outcome == delivery.Taken && s.completeOf(fmt.Sprint("m", i)) != 1 {
				t.Errorf("%d octets: %+v", sizes[i], r)
			}
		}
		_ = p.Close()
		synctest.Wait()
		var got []string
		for _, q := range s.heard() {
			switch {
			case q.command == "MAIL" && len(got) > 0 && strings.HasSuffix(got[len(got)-1], "+"):
				got[len(got)-1] += q.sender
			case q.command == "MAIL":
				got = append(got, fmt.Sprint(q.connection, " ", q.sender))
			case q.command == "RSET" && q.together:
				got[len(got)-1] += "+"
			case q.command == "DATA":
				got[len(got)-1] += " by DATA"
			}
		}
		want := []string{"1 m0 by DATA", "1 m1", "1 m3+m4+m5", "1 m7+m8", "1 m9", "1 m10 by DATA", "1 m11", "1 m12+m13", "2 m14 by DATA"}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
	})
}
