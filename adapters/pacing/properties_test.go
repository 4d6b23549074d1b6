package pacing_test

import (
	"math"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/cleversender/cleversender/adapters/pacing"
	"github.com/cleversender/cleversender/domain/delivery"
)

var anyReply = rapid.SampledFrom([]delivery.Reply{
	taken, taken, taken, later, never(550, "5.1.1"), {Outcome: delivery.Unclear}, {Outcome: delivery.NotSent}, {Outcome: delivery.NotMade},
})

// However turns and replies come, no more than rate x time + a second's worth
// leave in any span of time, and whose place came back in it; and no more are
// under way than may be.
func TestNeverMoreThanTheRate(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rate := pacing.Rate(rapid.Float64Range(0.01, 300).Draw(t, "rate"))
		concurrent := rapid.IntRange(1, 20).Draw(t, "concurrent")
		o := pacing.Options{Domain: pacing.DomainLimit{Concurrent: concurrent}}
		to := turn("a.example")
		switch rapid.IntRange(0, 3).Draw(t, "limit") {
		case 0:
			o.Rate = rate
		case 1:
			o.AccountRate = rate
		case 2:
			o.Domain.Rate = rate
		case 3:
			to.Throttle = int(3600 * rate)
			rate = pacing.Rate(float64(to.Throttle) / 3600)
		}
		p := pacing.New(o)
		now := noon
		var flying, left, back []time.Time // by when they were admitted, but for back
		for range rapid.IntRange(1, 300).Draw(t, "steps") {
			now = now.Add(time.Duration(rapid.Int64Range(0, int64(500*time.Millisecond)).Draw(t, "later")))
			if len(flying) > 0 && rapid.Bool().Draw(t, "a reply comes") {
				i := rapid.IntRange(0, len(flying)-1).Draw(t, "to")
				r, tried := anyReply.Draw(t, "reply"), rapid.IntRange(0, 4).Draw(t, "tried") > 0
				p.Heard(to, r, tried, now)
				if tried && r.Outcome != delivery.NotSent && r.Outcome != delivery.NotMade {
					left = append(left, flying[i])
				} else {
					back = append(back, now)
				}
				flying = slices.Delete(flying, i, i+1)
				continue
			}
			open, _ := p.Open(to, now)
			again, ok := p.Admit(to, now)
			switch {
			case ok && open == 0:
				t.Fatal("admitted while closed")
			case ok:
				flying = append(flying, now)
			case !again.After(now):
				t.Fatal("neither now nor later")
			}
			if len(flying) > concurrent {
				t.Fatalf("%d under way of %d", len(flying), concurrent)
			}
		}
		left = append(left, flying...)
		slices.SortFunc(left, time.Time.Compare)
		for i := range left {
			for k := i; k < len(left); k++ {
				span, n := left[k].Sub(left[i]).Seconds(), float64(k-i+1)
				for _, at := range back {
					if !at.Before(left[i]) && !at.After(left[k]) {
						n--
					}
				}
				if n > float64(rate)*span+math.Max(1, float64(rate))+1e-6 {
					t.Fatalf("%v messages in %v seconds at %v a second", n, span, rate)
				}
			}
		}
	})
}

// Whatever happened before, once all is heard there is room for as many as at
// the beginning, when the domain has had time and success.
func TestNoPlaceLeaks(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		const concurrent = 8
		p := pacing.New(pacing.Options{Domain: pacing.DomainLimit{Concurrent: concurrent}})
		to, now, flying := turn("a.example"), noon, 0
		for range rapid.IntRange(0, 200).Draw(t, "steps") {
			now = now.Add(time.Duration(rapid.IntRange(0, 2000).Draw(t, "later")) * time.Millisecond)
			if _, ok := p.Admit(to, now); ok {
				flying++
			}
			for flying > 0 && rapid.Bool().Draw(t, "a reply comes") {
				p.Heard(to, anyReply.Draw(t, "reply"), rapid.Bool().Draw(t, "tried"), now)
				flying--
			}
		}
		for range flying {
			p.Heard(to, taken, true, now)
		}
		now = now.Add(15 * time.Minute)
		for range 500 { // recovers
			p.Admit(to, now)
			p.Heard(to, taken, true, now)
		}
		if n := admitted(p, to, 99, now); n != concurrent {
			t.Fatalf("room for %d, want %d", n, concurrent)
		}
	})
}

// A domain that only says "not now" never gets more than before, and rests
// longer each time.
func TestBackoffIsMonotone(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := pacing.New(pacing.Options{Domain: pacing.DomainLimit{Concurrent: rapid.IntRange(1, 100).Draw(t, "concurrent")}})
		to, now := turn("a.example"), noon
		room, rest := admitted(p, to, 200, now), time.Duration(0)
		for range 30 {
			for range room { // one wave of replies
				p.Heard(to, later, true, now)
			}
			again, ok := p.Admit(to, now)
			if ok || again.Sub(now) < rest || again.Sub(now) > 15*time.Minute {
				t.Fatalf("rests for %v after %v", again.Sub(now), rest)
			}
			rest = again.Sub(now)
			now = again.Add(time.Duration(rapid.IntRange(0, 600).Draw(t, "later")) * time.Second)
			n := admitted(p, to, 200, now)
			if n > room || n < 1 {
				t.Fatalf("room for %d after %d", n, room)
			}
			room = n
		}
	})
}
