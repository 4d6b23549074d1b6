package pacing_test

import (
	"testing"
	"time"

	"github.com/cleversender/cleversender/adapters/pacing"
	"github.com/cleversender/cleversender/domain/delivery"
)

// A domain that says "not now" rests, longer each time, and then gets half.
func TestSlowsDown(t *testing.T) {
	p := pacing.New(pacing.Options{Domain: pacing.DomainLimit{Concurrent: 8}})
	to, now := turn("a.example"), noon
	for _, want := range []struct {
		rest time.Duration
		room int
	}{{time.Second, 4}, {2 * time.Second, 2}, {4 * time.Second, 1}, {8 * time.Second, 1}} {
		admitted(p, to, 1, now)
		p.Heard(to, later, true, now)
		again, ok := p.Admit(to, now)
		if ok || again.Sub(now) != want.rest {
			t.Fatalf("rests for %v, want %v", again.Sub(now), want.rest)
		}
		if _, ok := p.Admit(turn("b.example"), now); !ok {
			t.Fatal("another domain has to wait, too")
		}
		now = again
		if n := admitted(p, to, 20, now); n != want.room {
			t.Fatalf("after %v: room for %d, want %d", want.rest, n, want.room)
		}
		for range want.room {
			p.Heard(to, delivery.Reply{}, false, now)
		}
	}
	for range 20 {
		admitted(p, to, 1, now)
		p.Heard(to, later, true, now)
		now, _ = p.Admit(to, now)
	}
	admitted(p, to, 1, now)
	p.Heard(to, later, true, now)
	if again, _ := p.Admit(to, now); again.Sub(now) != 15*time.Minute {
		t.Errorf("rests for %v in the end, want 15 minutes", again.Sub(now))
	}
}

// What a domain takes gives it back what it had, a little at a time.
func TestRecovers(t *testing.T) {
	for _, limit := range []pacing.DomainLimit{{}, {Concurrent: 16}} {
		p := pacing.New(pacing.Options{Domain: limit})
		to := turn("a.example")
		admitted(p, to, 16, noon)
		p.Heard(to, later, true, noon)
		for range 15 {
			p.Heard(to, delivery.Reply{Outcome: delivery.Unclear}, true, noon)
		}
		now := noon.Add(time.Second)
		room := admitted(p, to, 99, now)
		if room != 8 {
			t.Fatalf("room for %d, want half of 16", room)
		}
		replies := 0
		for n := room; n < 16; {
			p.Heard(to, taken, true, now)
			replies++
			n = n - 1 + admitted(p, to, 99, now)
			if n < room || n > room+1 && n < 16 {
				t.Fatalf("room for %d after %d", n, room)
			}
			room = n
		}
		if replies < 50 || replies > 200 {
			t.Errorf("all is as before after %d replies, want some 100", replies)
		}
		p.Heard(to, later, true, now)
		if again, _ := p.Admit(to, now); again.Sub(now) != time.Second {
			t.Errorf("rests for %v, want a second as at first", again.Sub(now))
		}
	}
}

// Half the rate is what is left of a domain's rate.
func TestSlowsTheRate(t *testing.T) {
	p := pacing.New(pacing.Options{Domain: pacing.DomainLimit{Rate: 10}})
	to := turn("a.example")
	admitted(p, to, 10, noon)
	for range 10 {
		p.Heard(to, later, true, noon)
	}
	if n := admitted(p, to, 99, noon.Add(time.Minute)); n != 5 {
		t.Errorf("%d at once, want 5", n)
	}
}

// Replies to what was under way when a domain slowed us down count once.
func TestOneWaveIsOneSlowdown(t *testing.T) {
	p := pacing.New(pacing.Options{Domain: pacing.DomainLimit{Concurrent: 64}})
	to := turn("a.example")
	admitted(p, to, 64, noon)
	for range 64 {
		p.Heard(to, later, true, noon)
	}
	again, _ := p.Admit(to, noon)
	if n := admitted(p, to, 99, again); n != 32 || again.Sub(noon) != time.Second {
		t.Errorf("room for %d after %v, want 32 after a second", n, again.Sub(noon))
	}
}

// What a server says of one mailbox, or to gain time, is not about the traffic.
func TestWhatIsNotAboutTraffic(t *testing.T) {
	for _, c := range []struct {
		reply delivery.Reply
		slows bool
	}{
		{later, true},
		{delivery.Reply{Outcome: delivery.NotNow, Code: 451}, true},
		{delivery.Reply{Outcome: delivery.NotNow, Code: 452, Enhanced: "4.3.1"}, true},
		{delivery.Reply{Outcome: delivery.NotNow, Code: 452, Enhanced: "4.2.2"}, false},
		{delivery.Reply{Outcome: delivery.NotNow, Code: 450, Enhanced: "4.1.1"}, false},
		{delivery.Reply{Outcome: delivery.NotNow, Code: 451, Enhanced: "4.7.1", Text: "Greylisted, try again later"}, false},
		{delivery.Reply{Outcome: delivery.NotNow}, false},
		{taken, false},
		{never(550, "5.1.1"), false},
	} {
		p := pacing.New(pacing.Options{})
		admitted(p, turn("a.example"), 1, noon)
		p.Heard(turn("a.example"), c.reply, true, noon)
		if _, ok := p.Admit(turn("a.example"), noon); ok == c.slows {
			t.Errorf("%+v: slows down %v, want %v", c.reply, !ok, c.slows)
		}
	}
}
