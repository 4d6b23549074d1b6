package sending

import (
	"testing"
	"time"
)

// Chunks grow to the window while they leave fast, and shrink while they do
// not; results wait for half of what one takes, a tenth of a second at most.
func TestStride(t *testing.T) {
	var s stride
	const window = 200
	if d := s.delay(time.Millisecond); d != slow/2 {
		t.Errorf("results of the first chunk wait for %s", d)
	}
	for range 20 {
		s.took(s.size(window), window, time.Millisecond)
	}
	if n := s.size(window); n != window {
		t.Errorf("%d at a time after fast ones, want the window", n)
	}
	if d := s.delay(time.Millisecond); d != time.Millisecond {
		t.Errorf("results of fast chunks wait for %s", d)
	}
	s.took(window, window, 60*time.Millisecond)
	s.took(3, window, time.Millisecond) // the rest of a segment
	if d := s.delay(time.Millisecond); d != 30*time.Millisecond {
		t.Errorf("results of chunks that take 60 ms wait for %s", d)
	}
	s.took(3, window, time.Second)
	s.took(3, window, time.Second)
	if n := s.size(window); n >= window {
		t.Errorf("%d at a time after slow ones", n)
	}
	for range 20 {
		s.took(1, window, time.Second)
	}
	small := s.size(window)
	s.took(small, window, time.Minute)
	if d := s.delay(time.Millisecond); d != slow/2 {
		t.Errorf("results of slow chunks wait for %s", d)
	}
	s.took(small-1, window, time.Millisecond)
	if n := s.size(window); n != small || n > 10 {
		t.Errorf("%d at a time after a small chunk, want %d still", n, small)
	}
}
