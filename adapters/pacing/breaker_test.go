package pacing_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/cleversender/cleversender/adapters/pacing"
	"github.com/cleversender/cleversender/domain/delivery"
)

// run sends messages one by one, and gives the reason to stop and after how many.
func run(p *pacing.Pacer, n int, reply func(i int) delivery.Reply) (stop string, after int) {
	for i := range n {
		to := turn(fmt.Sprintf("d%d.example", i))
		if _, ok := p.Admit(to, noon); !ok {
			return "held", i
		}
		if stop := p.Heard(to, reply(i), true, noon); stop != "" {
			return stop, i + 1
		}
	}
	return "", n
}

// every gives r to each nth message, and success to the others.
func every(n int, r delivery.Reply) func(int) delivery.Reply {
	return func(i int) delivery.Reply {
		if i%n == n-1 {
			return r
		}
		return taken
	}
}

// A campaign that servers turn away stops; one that meets some refusals goes on.
func TestBreaker(t *testing.T) {
	for name, c := range map[string]struct {
		reply func(int) delivery.Reply
		code  string
		after int
	}{
		"all goes well":                    {every(1, taken), "", 1000},
		"a third is rejected":              {every(3, never(550, "5.7.1")), "", 1000},
		"half is rejected":                 {every(2, never(550, "5.7.1")), "rejections", 50},
		"half is rejected without a code":  {every(2, never(550, "")), "rejections", 50},
		"half is not for this sender":      {every(2, never(550, "5.1.8")), "rejections", 50},
		"a fifth of addresses is bad":      {every(5, never(550, "5.1.1")), "", 1000},
		"a quarter of addresses is bad":    {every(4, never(550, "5.1.1")), "unknown_recipients", 52},
		"a quarter, by an older server":    {every(4, never(551, "")), "unknown_recipients", 52},
		"a quarter of mailboxes is closed": {every(4, never(550, "5.2.1")), "unknown_recipients", 52},
		"Outlook asks for authentication":  {every(7, never(550, "5.7.515")), "unauthenticated", 7},
		"Gmail does, three times":          {every(7, never(550, "5.7.26")), "unauthenticated", 21},
		"deferrals decide nothing":         {every(2, delivery.Reply{Outcome: delivery.NotNow, Code: 450, Enhanced: "4.2.1"}), "", 1000},
		"our own refusals decide nothing":  {every(2, delivery.Reply{Outcome: delivery.Never, Enhanced: "5.1.3"}), "", 1000},
	} {
		stop, after := run(pacing.New(pacing.Options{}), 1000, c.reply)
		code, sentence, _ := strings.Cut(stop, ": ")
		if code != c.code || after != c.after || (code == "") != (sentence == "") {
			t.Errorf("%s: %q after %d, want %q after %d", name, stop, after, c.code, c.after)
		}
	}
}

// What went well long ago does not outweigh a wall that came up now.
func TestBreakerForgets(t *testing.T) {
	stop, after := run(pacing.New(pacing.Options{}), 2000, func(i int) delivery.Reply {
		if i < 1000 {
			return taken
		}
		return never(554, "5.7.1")
	})
	if !strings.HasPrefix(stop, "rejections: ") || after != 1100 {
		t.Errorf("%q after %d, want it after 1100", stop, after)
	}
}

// A campaign that was stopped takes nobody's turn until it is paused; what was
// under way does not stop it again once it is resumed.
func TestBreakerTripsOnce(t *testing.T) {
	p := pacing.New(pacing.Options{})
	to := turn("a.example")
	admitted(p, to, 100, noon)
	stops := 0
	for range 100 {
		if p.Heard(to, never(550, "5.7.1"), true, noon) != "" {
			stops++
		}
	}
	if stops != 1 {
		t.Errorf("stopped %d times", stops)
	}
	if n, again := p.Open(to, noon); n != 0 || !again.After(noon) {
		t.Errorf("open for %d", n)
	}
	if stop, after := run(pacing.New(pacing.Options{}), 10, every(1, taken)); stop != "" {
		t.Errorf("%q after %d", stop, after)
	}
	resumed := noon.Add(time.Minute)
	if n, _ := p.Open(to, resumed); n == 0 {
		t.Error("closed when it was resumed")
	}
	for i := range 49 {
		p.Admit(to, resumed)
		if stop := p.Heard(to, never(550, "5.7.1"), true, resumed); stop != "" {
			t.Fatalf("stopped again after %d: %s", i+1, stop)
		}
	}
}
