package smtp

import (
	"bytes"
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cleversender/cleversender/domain/delivery"
)

// A caller whose context ends has the message back at once wherever its
// envelope is, and the message before it on the same connection its reply.
func TestCancelBehindAnother(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		both, reply := make(chan struct{}), make(chan struct{})
		p, s := piped(t, "?connections=1", func(q question) string {
			<-both
			if q.command == "." && q.sender == "a" {
				<-reply
			}
			if q.sender == "b" {
				return "silent"
			}
			return able(q.command)
		})
		began := time.Now()
		ctx, cancel := context.WithCancel(t.Context())
		a := sendAs(t.Context(), p, "a")
		synctest.Wait()
		b := sendAs(ctx, p, "b")
		synctest.Wait()
		close(both)
		synctest.Wait() // b's envelope is with the server, which has not answered a
		cancel()
		if r := <-b; r.Outcome != delivery.NotSent {
			t.Errorf("b: %+v", r)
		}
		close(reply)
		if r := <-a; r.Outcome != delivery.Taken {
			t.Errorf("a: %+v", r)
		}
		if r := <-sendAs(t.Context(), p, "c"); r.Outcome != delivery.Taken {
			t.Errorf("c: %+v", r)
		}
		_ = p.Close()
		if s.completeOf("b") != 0 || s.connections.Load() != 2 {
			t.Errorf("b is complete %d times; %d connections", s.completeOf("b"), s.connections.Load())
		}
		if waited := time.Since(began); waited > 0 {
			t.Errorf("waited %s for a reply that nobody wants", waited)
		}
	})
}

// A caller whose context ends in the queue costs no connection.
func TestCancelInQueue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		reply := make(chan struct{})
		p, s := piped(t, "?connections=1", func(q question) string {
			if q.command == "" {
				<-reply
			}
			return able(q.command)
		})
		ctx, cancel := context.WithCancel(t.Context())
		a := sendAs(t.Context(), p, "a")
		synctest.Wait()
		b, c := sendAs(ctx, p, "b"), sendAs(ctx, p, "c")
		synctest.Wait()
		d := sendAs(t.Context(), p, "d")
		synctest.Wait()
		cancel()
		if (<-b).Outcome != delivery.NotSent || (<-c).Outcome != delivery.NotSent {
			t.Error("it was sent")
		}
		close(reply)
		if (<-a).Outcome != delivery.Taken || (<-d).Outcome != delivery.Taken || s.connections.Load() != 1 || s.messages.Load() != 2 {
			t.Errorf("%d connections, %d messages", s.connections.Load(), s.messages.Load())
		}
		_ = p.Close()
	})
}

// A large content is broken off when its caller's context ends; the caller's
// memory is not looked at after that.
func TestCancelInContent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, s := piped(t, "", func(q question) string {
			if q.command == "content" {
				return "250 reads no further before this is read"
			}
			return polite(q.command)
		})
		began := time.Now()
		ctx, cancel := context.WithCancel(t.Context())
		msg, done := bytes.Repeat([]byte("0123456\r\n"), 1<<20), make(chan delivery.Reply)
		go func() {
			r := p.Send(ctx, "a@example.org", to, msg)
			clear(msg)
			done <- r
		}()
		synctest.Wait()
		cancel()
		if r := <-done; r.Outcome != delivery.NotSent || s.messages.Load() != 0 {
			t.Errorf("%+v, %d complete", r, s.messages.Load())
		}
		_ = p.Close()
		if waited := time.Since(began); waited > 0 {
			t.Errorf("waited %s", waited)
		}
	})
}

// What a server has refused is refused, and costs no connection, although the
// caller's context ends before the connection is ready for the next.
func TestCancelRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		reset := make(chan struct{})
		p, s := piped(t, "?connections=1", func(q question) string {
			switch {
			case q.sender == "a" && (q.command == "RCPT" || q.command == "DATA"):
				return "550 5.1.1 no"
			case q.command == "RSET":
				<-reset
			}
			return able(q.command)
		})
		ctx, cancel := context.WithCancel(t.Context())
		a := sendAs(ctx, p, "a")
		synctest.Wait()
		cancel()
		synctest.Wait()
		close(reset)
		if r := <-a; r.Outcome != delivery.Never {
			t.Errorf("a: %+v", r)
		}
		if r := <-sendAs(t.Context(), p, "b"); r.Outcome != delivery.Taken || s.connections.Load() != 1 {
			t.Errorf("b: %+v, %d connections", r, s.connections.Load())
		}
		_ = p.Close()
	})
}

// A message whose context has ended does not leave, also before its caller noticed.
func TestCancelUnnoticed(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	r := Open(Config{}).request(ctx, envelope{}, nil)
	if !r.leave(waiting, leaving) {
		t.Error("stays")
	}
	cancel()
	if r.leave(leaving, decided) || r.again() {
		t.Error("leaves")
	}
}
