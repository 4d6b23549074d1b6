package pacing

import "time"

const (
	forgetAfter = time.Hour // what is idle for so long is forgotten, whatever there is to remember
	most        = 100_000   // that have nothing under way are remembered
)

// remembered says whether it can be forgotten: nothing is under way, and
// nothing would be lost; pressed: whatever would be lost.
type remembered[T any] interface {
	*T
	forgettable(now time.Time, pressed bool) bool
}

// shelf keeps what is known by key, and forgets as it grows, and as time passes.
type shelf[K comparable, T any] struct {
	known map[K]*T
	sweep int       // when so many are known, look which can go
	next  time.Time // or then
}

// get finds or begins.
func get[K comparable, T any, P remembered[T]](s *shelf[K, T], key K, now time.Time) P {
	if found := s.known[key]; found != nil {
		return found
	}
	if s.known == nil || len(s.known) >= s.sweep || now.After(s.next) {
		tidy[K, T, P](s, now)
	}
	fresh := new(T)
	s.known[key] = fresh
	return fresh
}

func tidy[K comparable, T any, P remembered[T]](s *shelf[K, T], now time.Time) {
	kept := map[K]*T{} // a map never shrinks
	for _, pressed := range []bool{false, true} {
		if pressed && len(kept) < most {
			break
		}
		clear(kept)
		for key, t := range s.known {
			if !P(t).forgettable(now, pressed) {
				kept[key] = t
			}
		}
	}
	s.known, s.sweep, s.next = kept, max(1024, 2*len(kept)), now.Add(forgetAfter/4)
}
