package sending

import (
	"sync"
	"time"

	"github.com/cleversender/cleversender/adapters/sending/again"
	"github.com/cleversender/cleversender/domain/delivery"
)

// door says whether a server can be reached. While none can, it lets one
// message through at a time, ever more rarely, to find out when one is back.
type door struct {
	mu     sync.Mutex
	shut   bool
	probes int // since it shut
	next   time.Time
}

// closed reports that no server could be reached, and how long until the next may knock.
func (d *door) closed() (bool, time.Duration) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.shut, time.Until(d.next)
}

// probe reports whether the caller is the one who may knock now.
func (d *door) probe() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if time.Now().Before(d.next) {
		return false
	}
	d.next = time.Now().Add(again.Backoff(d.probes, 250*time.Millisecond, 30*time.Second))
	d.probes++
	return true
}

// heard takes note of how a transmission ended. Who has knocked in vain before
// says nothing new about the network, and shuts the door on nobody.
func (d *door) heard(reply delivery.Reply, before bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	switch {
	case reply.Code != 0:
		d.shut = false
	case reply.Outcome == delivery.NotSent && !d.shut && !before:
		d.shut, d.probes, d.next = true, 0, time.Now().Add(250*time.Millisecond)
	}
}
