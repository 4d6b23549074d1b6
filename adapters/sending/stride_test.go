package sending

import (
	"testing"
	"time"
)

// Chunks grow to the window while they leave fast, and shrink while they do
// not; results wait the longer, the smaller they are.
func TestStride(t *testing.T) {
	var s stride
	const window = 200
	for range 20 {
		s.took(s.size(window), window, time.Millisecond)
	}
	if n := s.size(window); n != window {
		t.Errorf("%d at a time after fast ones, want the window", n)
	}
	if d := s.delay(time.Millisecond, window); d != time.Millisecond {
		t.Errorf("results of large chunks wait for %s", d)
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
	if d := s.delay(time.Millisecond, window); d != time.Duration(window/small)*time.Millisecond || d < 5*time.Millisecond {
		t.Errorf("results of chunks of %d wait for %s", small, d)
	}
	s.took(small-1, window, time.Millisecond)
	if n := s.size(window); n != small || n > 10 {
		t.Errorf("%d at a time after a small chunk, want %d still", n, small)
	}
}
