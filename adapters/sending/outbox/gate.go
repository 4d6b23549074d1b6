package outbox

import (
	"time"

	"github.com/cleversender/cleversender/adapters/sending/again"
	"github.com/cleversender/cleversender/domain/delivery"
)

// gate says whether a server can be reached. While none can, it lets one
// message through at a time, ever more rarely, to find out when one is back.
type gate struct {
	shut   bool
	probes int // since it shut
	next   time.Time
}

// wait is how long until a message may leave.
func (g *gate) wait(now time.Time) time.Duration {
	if !g.shut {
		return 0
	}
	return g.next.Sub(now)
}

// pass takes the turn of the one that may leave now.
func (g *gate) pass(now time.Time) {
	if g.shut {
		g.next = now.Add(again.Backoff(g.probes, 250*time.Millisecond, 30*time.Second))
		g.probes++
	}
}

// heard takes note of how a transmission ended. A message that could not leave
// before says nothing new about the network, and shuts the gate on nobody.
func (g *gate) heard(reply delivery.Reply, before bool, now time.Time) {
	switch {
	case reply.Code != 0:
		g.shut = false
	case reply.Outcome == delivery.NotSent && !g.shut && !before:
		*g = gate{shut: true, next: now.Add(250 * time.Millisecond)}
	}
}
