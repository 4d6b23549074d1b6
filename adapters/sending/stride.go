package sending

import (
	"sync/atomic"
	"time"
)

// stride is how large a chunk is: it grows while chunks leave fast, for less
// cost a message, and shrinks while they leave slowly, for fewer in doubt after
// a crash. Its zero value is the first, small step.
type stride struct {
	doublings atomic.Int32
	lately    atomic.Int64 // how long a whole chunk was on its way, nanoseconds; 0: none was yet
}

const (
	firstStride = 10
	fast, slow  = 50 * time.Millisecond, 200 * time.Millisecond
)

// size is the next chunk's, at most most.
func (s *stride) size(most int) int { return min(firstStride<<s.doublings.Load(), most) }

// delay is how long a result waits for others to be recorded with, at least
// least: half as long as a chunk takes, so that each is recorded in two groups.
func (s *stride) delay(least time.Duration) time.Duration {
	whole := slow
	if lately := time.Duration(s.lately.Load()); lately > 0 {
		whole = min(lately, slow)
	}
	return max(whole/2, least)
}

// took takes note of how long a chunk of n, of at most most, was on its way. A
// fast one that was smaller than it might have been says nothing of larger ones.
func (s *stride) took(n, most int, d time.Duration) {
	step := s.doublings.Load()
	if n == min(firstStride<<step, most) {
		s.lately.Store(int64(d))
	}
	switch {
	case d > slow && step > 0:
		s.doublings.CompareAndSwap(step, step-1)
	case d < fast && n == firstStride<<step && n < most:
		s.doublings.CompareAndSwap(step, step+1)
	}
}
