package pacing_test

import (
	"testing"
	"time"

	"github.com/cleversender/cleversender/adapters/pacing"
)

// A sender who is new sends a little more each day on which anything is sent,
// and after the plan as much as there is.
func TestWarmup(t *testing.T) {
	p := pacing.New(pacing.Options{Warmup: map[string][]int{"example.com": {5, 10}}})
	to, midnight := turn("a.example"), time.Date(2026, 7, 2, 0, 0, 0, 0, time.UTC)
	if n, _ := p.Open(to, noon); n != 5 {
		t.Errorf("open for %d, want 5", n)
	}
	if n := admitted(p, to, 99, noon); n != 5 {
		t.Errorf("%d on the first day, want 5", n)
	}
	if again, ok := p.Admit(to, noon); ok || !again.Equal(midnight) {
		t.Errorf("again at %v, want midnight", again)
	}
	other := turn("a.example")
	other.Settings.FromEmail = "news@old.example"
	if n := admitted(p, other, 99, noon); n != 99 {
		t.Errorf("%d from another domain, want 99", n)
	}
	afterRest := midnight.AddDate(0, 0, 3) // days on which nothing is sent do not count
	if n := admitted(p, to, 99, afterRest); n != 10 {
		t.Errorf("%d on the second day, want 10", n)
	}
	if n := admitted(p, to, 99, afterRest.AddDate(0, 0, 1)); n != 99 {
		t.Errorf("%d after the plan, want all", n)
	}
}

// What was sent before a restart counts: today's messages, and the days.
func TestWarmupGoesOn(t *testing.T) {
	p := pacing.New(pacing.Options{Warmup: map[string][]int{"example.com": {5, 10, 20}}})
	p.Warmed("example.com", map[time.Time]int{
		noon.AddDate(0, 0, -9): 5, noon.AddDate(0, 0, -8): 0, noon.AddDate(0, 0, -3): 4, noon.AddDate(0, 0, -3).Add(time.Hour): 6,
		noon.Add(-time.Hour): 3, noon.Add(-2 * time.Hour): 10,
	}, noon)
	p.Warmed("old.example", map[time.Time]int{noon: 9}, noon) // has no plan
	if n := admitted(p, turn("a.example"), 99, noon); n != 7 {
		t.Errorf("%d more today, want 7 of 20", n)
	}
}
