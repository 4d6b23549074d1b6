// Package pacing says which message may leave now: by the rates of everything,
// of an account and of a campaign, by what a recipient's domain takes, by the
// hours in which a campaign may send, and by the quota of a sender who is new.
// It also says when a campaign has to stop, because servers turn it away.
//
// # What holds
//
//   - A rate of r a second lets at most r*t + max(r, 1) messages go in any t
//     seconds: a second's worth may come at once. A message that did not leave
//     gives its place to another.
//   - A domain that says "not now" (4yz) gets half of what it got, after a rest
//     that doubles from 1 second to 15 minutes; each message that it takes gives
//     back a little, and halves its next rest. What it says of one mailbox
//     (4.1.z, 4.2.z), and greylisting, says nothing about the others. Replies to
//     messages that were under way when it slowed down slow it down no further.
//   - A rate that is changed holds from the next message on.
//   - A day of a warm-up plan ends at midnight UTC. A crash may lose the count of
//     messages whose result was not durable, which the campaign reports as unknown.
//
// All of it is kept in memory, of this process alone: two processes have twice
// the rate. What is idle is forgotten, so that a million domains cost no more
// than those that have mail under way, or have slowed us down within the hour,
// and of the latter the 100,000 that stay.
package pacing

import (
	"sync"

	"github.com/cleversender/cleversender/domain"
	"github.com/cleversender/cleversender/domain/campaign"
)

// Turn is one message that is about to be sent.
type Turn struct {
	Account, Campaign domain.ID
	Settings          campaign.Settings
	Throttle          int    // messages an hour; 0: as many as there are
	Domain            string // the recipient's, A-labels, lower case
}

// Options are the limits of a process; what is zero does not limit.
type Options struct {
	Rate        Rate                   // of everything
	AccountRate Rate                   // of each account
	Domain      DomainLimit            // of each recipients' domain that is not in Domains
	Domains     map[string]DomainLimit // by A-labels, lower case
	Warmup      map[string][]int       // quotas of days, by the domain that mail is from
}

// DomainLimit is what a recipients' domain gets at most.
type DomainLimit struct {
	Rate       Rate
	Concurrent int // messages under way at once
}

// Pacer keeps to the limits. It is used by many goroutines at once.
type Pacer struct {
	o Options

	mu       sync.Mutex
	all      bucket
	accounts shelf[domain.ID, account]
	courses  shelf[campaign.ID, course]
	lanes    shelf[string, lane]
	plans    map[string]*plan
	counts   counts
}

// account is what is known of an account with a rate.
type account struct{ bucket }

// New makes a pacer.
func New(o Options) *Pacer {
	p := &Pacer{o: o, plans: map[string]*plan{}, counts: newCounts(o)}
	for from, quotas := range o.Warmup {
		p.plans[from] = &plan{quotas: quotas}
	}
	return p
}
