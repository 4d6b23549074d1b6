package pacing

import (
	"math"
	"time"
)

// Rate is messages a second; 0: no limit.
type Rate float64

// burst is what may come at once: a second's worth, and one message at least.
func (r Rate) burst() float64 { return math.Max(1, float64(r)) }

// wait is how long it takes until n more may go.
func (r Rate) wait(n float64) time.Duration {
	return time.Duration(math.Min(math.Ceil(n/float64(r)*float64(time.Second)), math.MaxInt64/2))
}

// bucket holds what may go now at a rate that is handed in each time, since it
// may change. The zero one is full.
type bucket struct {
	spent float64   // short of full
	at    time.Time // as of then
}

// left is how many may go now; a clock set back adds nothing.
func (b *bucket) left(r Rate, now time.Time) float64 {
	if passed := now.Sub(b.at); passed > 0 {
		b.spent -= passed.Seconds() * float64(r)
	}
	b.at = now
	b.spent = math.Min(math.Max(b.spent, 0), r.burst())
	return r.burst() - b.spent
}

// ready is when the next may go: now, or later.
func (b *bucket) ready(r Rate, now time.Time) time.Time {
	if r <= 0 {
		return now
	}
	if left := b.left(r, now); left < 1-rounding {
		return now.Add(r.wait(1 - left))
	}
	return now
}

// rounding is less than a message.
const rounding = 1e-9

func (b *bucket) take(now time.Time) {
	b.spent++
	b.at = now // where no rate has asked
}

func (b *bucket) giveBack() { b.spent = math.Max(b.spent-1, 0) }
