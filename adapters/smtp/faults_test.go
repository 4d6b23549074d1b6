package smtp

import (
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/cleversender/cleversender/domain/delivery"
)

// fault is what a server does instead of what it should.
type fault struct{ name, does string }

var faultTable = []fault{
	{"closes", "drop"}, {"hangs", "silent"}, {"garbage", "hello?"}, {"no code", "999 what"}, {"out of step", "350 what"},
	{"flood", strings.Repeat("250-"+strings.Repeat("x", 1000)+"\r\n", 2000) + "250 at last"},
	{"long line", "250 " + strings.Repeat("x", 2<<20)}, {"two codes", "250-yes\r\n550 no"},
	{"later", "451 4.3.0 later"}, {"never", "550 5.1.1 never"}, {"goodbye", "421 4.3.2 bye"},
}

// outcome is what is known of a message after a fault at a step.
func (f fault) outcome(step string) delivery.Outcome {
	switch {
	case f.name == "never":
		return delivery.Never
	case f.name == "later" || f.name == "goodbye":
		return delivery.NotNow
	case step == "." || step == "content":
		return delivery.Unclear
	default:
		return delivery.NotSent
	}
}

// mended: a fresh connection makes good for it, if the one that broke had been used before.
func (f fault) mended(step string) bool {
	return f.name == "goodbye" || f.outcome(step) == delivery.NotSent
}

// Two messages, the envelope of the second on its way while the first ends
// where the server pipelines: whatever goes wrong, at whichever step of either,
// once or always, both outcomes are true to what the server has.
func TestFaultTable(t *testing.T) {
	for _, hello := range []func(string) string{able, polite} {
		for _, victim := range []string{"a", "b"} {
			for _, step := range []string{"MAIL", "RCPT", "DATA", "content", "."} {
				for _, f := range faultTable {
					if step == "content" && f.outcome(step) != delivery.Unclear {
						continue // an answer before the end: TestAnswersTooEarly
					}
					for _, always := range []bool{false, true} {
						name := fmt.Sprintf("pipelining=%v/%s/%s/%s/always=%v", hello("EHLO") == able("EHLO"), victim, step, f.name, always)
						t.Run(name, func(t *testing.T) {
							synctest.Test(t, func(t *testing.T) { f.happens(t, hello, victim, step, always) })
						})
					}
				}
			}
		}
	}
}

func (f fault) happens(t *testing.T, polite func(string) string, victim, step string, always bool) {
	both := make(chan struct{})
	var faults atomic.Int32
	p, s := piped(t, "?connections=1", func(q question) string {
		<-both
		if q.command == step && q.sender == victim && (faults.Add(1) == 1 || always) {
			return f.does
		}
		return polite(q.command)
	})
	a := sendAs(t.Context(), p, "a")
	synctest.Wait()
	b := sendAs(t.Context(), p, "b")
	synctest.Wait()
	close(both)
	got := map[string]delivery.Reply{"a": <-a, "b": <-b}
	_ = p.Close()
	want := map[string]delivery.Outcome{"a": delivery.Taken, "b": delivery.Taken}
	if victim == "a" || always || !f.mended(step) {
		want[victim] = f.outcome(step)
	}
	for sender, reply := range got {
		if reply.Outcome != want[sender] {
			t.Errorf("%s: %+v", sender, reply)
		}
		agree(t, sender, reply, s.completeOf(sender))
	}
	word := f.name == "later" || f.name == "never"
	noSender := step == "MAIL" && polite("EHLO") == able("EHLO") // and a recipient: TestRefusedInBatch
	if onward := s.connections.Load() == 1; victim == "a" && onward != (word && !noSender) {
		t.Errorf("%d connections", s.connections.Load())
	}
	if faults.Load() == 0 {
		t.Error("nothing went wrong")
	}
}

// Three messages that leave together: whatever goes wrong at whichever step of
// any, those before it are taken, and of those behind it we know what the
// server's last word lets us know.
func TestFaultTableOfBursts(t *testing.T) {
	for i, victim := range []string{"a", "b", "c"} {
		for _, step := range []string{"MAIL", "RCPT", "BDAT", "RSET"} {
			for _, f := range faultTable {
				for _, always := range []bool{false, true} {
					t.Run(fmt.Sprintf("%s/%s/%s/always=%v", victim, step, f.name, always), func(t *testing.T) {
						synctest.Test(t, func(t *testing.T) { f.strikes(t, i, step, always) })
					})
				}
			}
		}
	}
}

// inBurst is what is known of the message that a fault hit in a burst, and
// whether as much is known of those behind it.
func (f fault) inBurst(step string, always bool) (of delivery.Outcome, onward bool) {
	word := f.name == "later" || f.name == "never"
	switch {
	case f.name == "goodbye" && always && (step == "MAIL" || step == "RCPT"):
		return delivery.NotNow, true // by itself, over a fresh connection
	case f.name == "goodbye":
		return delivery.Taken, true
	case step == "RSET" && (f.name == "closes" || f.name == "hangs"):
		return delivery.Taken, false // answered before
	case word && step == "BDAT": // what is refused before, and taken then, makes no sense
		return f.outcome(step), true
	default:
		return delivery.Unclear, false
	}
}

func (f fault) strikes(t *testing.T, victim int, step string, always bool) {
	release := make(chan struct{})
	senders := []string{"a", "b", "c"}
	var struck atomic.Bool
	p, s := piped(t, "?connections=1", func(q question) string {
		<-release
		if q.command == step && q.sender == senders[victim] && (!struck.Swap(true) || always) {
			return f.does
		}
		return capable(q.command)
	})
	got := behind(t.Context(), p, release, senders...)
	if r := <-sendAs(t.Context(), p, "after"); r.Outcome != delivery.Taken {
		t.Errorf("after it: %+v", r)
	}
	_ = p.Close()
	outcome, onward := f.inBurst(step, always)
	for i, sender := range senders {
		want := delivery.Taken
		switch {
		case i == victim:
			want = outcome
		case i > victim && !onward:
			want = delivery.Unclear
		}
		if got[sender].Outcome != want {
			t.Errorf("%s: %+v", sender, got[sender])
		}
		agree(t, sender, got[sender], s.completeOf(sender))
	}
	if keeps := onward && f.name != "goodbye"; keeps != (s.connections.Load() == 1) {
		t.Errorf("%d connections", s.connections.Load())
	}
	if !struck.Load() {
		t.Error("nothing went wrong")
	}
}

// agree compares what is known of a message with how often the server has it.
func agree(t *testing.T, sender string, reply delivery.Reply, complete int) {
	t.Helper()
	least, most := 0, 0
	switch reply.Outcome {
	case delivery.Taken:
		least, most = 1, 1
	case delivery.Unclear:
		most = 1
	}
	if complete < least || complete > most {
		t.Errorf("%s: the server has it %d times, and the outcome is %+v", sender, complete, reply)
	}
}
