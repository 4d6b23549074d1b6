// Package engagement is what recipients did with a message.
package engagement

import (
	"slices"

	"github.com/cleversender/cleversender/domain"
)

// Stream is where one writer records the engagement with a campaign.
func Stream(campaign, writer domain.ID) string {
	b := append(make([]byte, 0, 96), "engagement-"...)
	b, _ = campaign.AppendText(b) // never fails
	b, _ = writer.AppendText(append(b, '_'))
	return string(b)
}

// Machine says why a hit is thought to be a machine's. Names are stored.
type Machine string

const (
	MaybeHuman Machine = ""
	Prefetch   Machine = "prefetch" // the client said so (Purpose, Sec-Purpose, X-Moz)
	HeadProbe  Machine = "head"     // a HEAD request
	ImageProxy Machine = "proxy"    // a mail provider's image proxy
	Scanner    Machine = "scanner"  // a known security scanner or bot
)

// Machines lists every reason, MaybeHuman among them.
var Machines = []Machine{MaybeHuman, Prefetch, HeadProbe, ImageProxy, Scanner}

// Known reports whether m is one of Machines.
func (m Machine) Known() bool { return slices.Contains(Machines, m) }

// Hits is what decisions about engagement need to know: nothing, for each hit
// is a fact of its own.
type Hits struct{}

// Evolve replays one event.
func (h Hits) Evolve(Event) Hits { return h }
