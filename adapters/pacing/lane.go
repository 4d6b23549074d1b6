package pacing

import (
	"math"
	"strings"
	"time"

	"github.com/cleversender/cleversender/domain/delivery"
)

const (
	firstRest = time.Second
	longest   = 15 * time.Minute
	leastOf   = 1.0 / 1024 // of what a domain got at first
)

// lane is what one recipients' domain gets. A domain that never said "not now"
// has no more than its limit; there may be none.
type lane struct {
	bucket
	flying int // under way
	seen   time.Time

	slowed bool
	share  float64       // of what it may get, once slowed
	peak   float64       // messages under way when it slowed down, for want of a limit
	rest   time.Duration // the last one; 0: back to where it was
	until  time.Time     // it rests
	stale  int           // under way since before it slowed down
}

func (l *lane) forgettable(now time.Time, pressed bool) bool {
	idle := now.Sub(l.seen)
	return l.flying == 0 && (pressed || idle > forgetAfter || !l.slowed && idle > time.Minute)
}

// rate is what the domain gets now of what it may get.
func (l *lane) rate(limit DomainLimit) Rate {
	if l.slowed {
		return limit.Rate * Rate(l.share)
	}
	return limit.Rate
}

// room is how many may be under way to the domain now.
func (l *lane) room(limit DomainLimit) float64 {
	full := l.full(limit)
	if l.slowed {
		return math.Max(1, math.Floor(full*l.share))
	}
	return full
}

func (l *lane) full(limit DomainLimit) float64 {
	switch {
	case limit.Concurrent > 0:
		return float64(limit.Concurrent)
	case l.slowed:
		return l.peak
	default:
		return math.Inf(1)
	}
}

// ready is when the next may go to the domain: now, or later.
func (l *lane) ready(limit DomainLimit, now time.Time) time.Time {
	switch {
	case l.until.After(now):
		return l.until
	case float64(l.flying) >= l.room(limit):
		return now.Add(crowded)
	}
	return l.bucket.ready(l.rate(limit), now)
}

// crowded is when to ask again where as many are under way as may be.
const crowded = 20 * time.Millisecond

// heard takes note of a reply, and reports whether the domain slows us down.
func (l *lane) heard(limit DomainLimit, r delivery.Reply, now time.Time) bool {
	stale := l.stale > 0
	if stale {
		l.stale--
	}
	switch {
	case r.Outcome == delivery.NotNow && tooFast(r):
		if stale {
			return false
		}
		l.slow(now)
		return true
	case r.Outcome == delivery.Taken && l.slowed:
		l.restore(limit)
	}
	return false
}

// slow halves what the domain gets, and lets it rest.
func (l *lane) slow(now time.Time) {
	if !l.slowed {
		l.slowed, l.share, l.peak = true, 1, float64(l.flying+1)
	}
	l.share = math.Max(l.share/2, leastOf)
	l.rest = min(max(2*l.rest, firstRest), longest)
	l.until = now.Add(l.rest)
	l.stale = l.flying
}

// restore gives a little back: about one more place for each round of replies,
// as TCP does (RFC 5681, section 3.1).
func (l *lane) restore(limit DomainLimit) {
	full := l.full(limit)
	l.share += math.Min(1.0/16, 1/(full*math.Max(1, full*l.share)))
	l.rest /= 2
	if l.share >= 1 {
		l.slowed = false
	}
}

// tooFast reports that a 4yz is about the traffic: not about one mailbox (RFC
// 3463, sections 3.2 and 3.3), and no greylisting (RFC 6647), which waiting alone cures.
func tooFast(r delivery.Reply) bool {
	if r.Code == 0 || strings.HasPrefix(r.Enhanced, "4.1.") || strings.HasPrefix(r.Enhanced, "4.2.") {
		return false
	}
	text := strings.ToLower(r.Text)
	return !strings.Contains(text, "greylist") && !strings.Contains(text, "graylist")
}
