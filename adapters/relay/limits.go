package relay

import (
	"math"
	"time"
)

// unserved is when to ask again for a message that no server takes.
const unserved = time.Minute

// Open is how many messages of an author the servers' rates leave now; when
// none, again is when to ask. It takes no place.
func (r *Relay) Open(author, name string, now time.Time) (n int, again time.Time) {
	if !r.limited {
		return math.MaxInt, again
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	sum, soonest := 0.0, unserved
	for _, s := range r.tier(author, name, nil, now) {
		sum += math.Floor(s.left(now) + rounding)
		soonest = min(soonest, s.wait(now))
	}
	switch {
	case sum > math.MaxInt32:
		return math.MaxInt, again
	case sum < 1:
		return 0, now.Add(soonest)
	}
	return int(sum), again
}

// Admit takes a place on a server ahead of Send, or says when one is free.
func (r *Relay) Admit(author, name string, now time.Time) (again time.Time, ok bool) {
	if !r.limited {
		return again, true
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	soonest := unserved
	for _, s := range r.tier(author, name, nil, now) {
		wait := s.wait(now)
		if wait == 0 {
			if s.Rate > 0 {
				s.spent++
				s.credit++
			}
			return again, true
		}
		s.held++
		soonest = min(soonest, wait)
	}
	return now.Add(soonest), false
}

// GiveBack returns a place that Admit took and Send was not asked to use.
func (r *Relay) GiveBack(author, name string) {
	if !r.limited {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, s := range r.servers {
		if s.credit > 0 && s.takes(author, name) {
			s.credit--
			s.waive()
			return
		}
	}
}
