package engine

import (
	"context"
	"testing"
	"time"

	"github.com/cleversender/cleversender/adapters/pacing"
	"github.com/cleversender/cleversender/adapters/relay"
	"github.com/cleversender/cleversender/adapters/sending"
	"github.com/cleversender/cleversender/domain/campaign"
	"github.com/cleversender/cleversender/domain/delivery"
)

// A message needs a place in the limits and one on a server; whichever it does
// not get, the other is free again.
func TestLimitsOfBoth(t *testing.T) {
	now := time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC)
	servers, err := relay.New([]relay.Server{{Name: "a", Rate: 5, Send: func(context.Context, string, string, []byte) delivery.Reply {
		return delivery.Reply{Outcome: delivery.Taken, Code: 250}
	}}})
	if err != nil {
		t.Fatal(err)
	}
	l := limits{pacing.New(pacing.Options{Domain: pacing.DomainLimit{Concurrent: 1}, Rate: 10}), servers}
	slow := sending.Turn{Domain: "slow.example", Settings: campaign.Settings{FromEmail: "news@example.com"}}
	if n, _ := l.Open(slow, now); n != 5 {
		t.Errorf("open for %d, want the server's 5", n)
	}
	for i := range 9 {
		if _, ok := l.Admit(slow, now); ok != (i == 0) {
			t.Errorf("turn %d to one domain: %v", i, ok)
		}
	}
	if n, _ := l.Open(slow, now); n != 4 {
		t.Errorf("open for %d, want 4: one is under way", n)
	}
	l.Heard(slow, delivery.Reply{}, false, now)
	if n, _ := l.Open(slow, now); n != 5 {
		t.Errorf("open for %d, want 5: nothing is under way", n)
	}
	other := slow
	for i := range 9 {
		other.Domain = string(rune('a'+i)) + ".example"
		if _, ok := l.Admit(other, now); ok != (i < 5) {
			t.Errorf("turn %d to many domains: %v", i, ok)
		}
	}
	if n, again := l.Open(slow, now); n != 0 || again.Sub(now) != 200*time.Millisecond {
		t.Errorf("open for %d, again in %v, want the server's 200ms", n, again.Sub(now))
	}
}
