package sending

import (
	"slices"
	"sync"
	"time"

	"github.com/cleversender/cleversender/domain/delivery"
)

// door says whether a server can be reached. While none can, it lets one
// message through at a time, ever more rarely, to find out when one is back.
type door struct {
	mu       sync.Mutex
	failures int // in a row
	next     time.Time
}

// closed reports that no server could be reached, and how long until the next may knock.
func (d *door) closed() (bool, time.Duration) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.failures > 0, time.Until(d.next)
}

// probe reports whether the caller is the one who may knock now.
func (d *door) probe() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if time.Now().Before(d.next) {
		return false
	}
	d.next = time.Now().Add(backoff(d.failures-1, 250*time.Millisecond, 30*time.Second))
	return true
}

// heard takes note of how a transmission ended.
func (d *door) heard(reply delivery.Reply) {
	d.mu.Lock()
	defer d.mu.Unlock()
	switch {
	case reply.Outcome == delivery.NotSent:
		if d.failures++; d.failures == 1 {
			d.next = time.Now().Add(250 * time.Millisecond)
		}
	case reply.Code != 0:
		d.failures = 0
	}
}

// knocks remembers whose message could not leave, for one campaign: it may be
// the network, or it may be that very message, which nothing will take.
type knocks struct {
	mu   sync.Mutex
	seen map[int]knock // by ordinal
}

type knock struct {
	times int
	first time.Time
}

// last moves those who knocked in vain behind those who did not, so that one
// whose message breaks every connection holds nobody up.
func (k *knocks) last(turn []delivery.Recipient) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if len(k.seen) > 0 {
		slices.SortStableFunc(turn, func(a, b delivery.Recipient) int {
			return k.seen[a.Ordinal].times - k.seen[b.Ordinal].times
		})
	}
}

// inVain counts, and reports that it has been tried often and long enough.
func (k *knocks) inVain(ordinal int, patience time.Duration) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	now := k.seen[ordinal]
	if now.times++; now.times == 1 {
		now.first = time.Now()
	}
	if k.seen == nil {
		k.seen = map[int]knock{}
	}
	k.seen[ordinal] = now
	return now.times >= 10 && time.Since(now.first) >= patience
}
