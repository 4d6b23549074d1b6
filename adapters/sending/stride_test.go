package sending

import (
	"testing"
	"time"
)

// Chunks grow to the window while they leave fast, and shrink while they do not.
func TestStride(t *testing.T) {
	var s stride
	const window = 200
	for range 20 {
		s.took(s.size(window), window, time.Millisecond)
	}
	if n := s.size(window); n != window {
		t.Errorf("%d at a time after fast ones, want the window", n)
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
	s.took(small-1, window, time.Millisecond)
	if n := s.size(window); n != small || n > 10 {
		t.Errorf("%d at a time after a small chunk, want %d still", n, small)
	}
}
