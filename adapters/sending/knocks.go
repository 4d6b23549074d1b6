package sending

import (
	"slices"
	"sync"
	"time"

	"github.com/cleversender/cleversender/adapters/sending/again"
	"github.com/cleversender/cleversender/domain/delivery"
)

// knocks remembers whose message could not leave, for one campaign: it may be
// the network, or it may be that very message, which nothing will take. So each
// of them rests before it knocks again, longer than the door does: somebody
// else knocks in between.
type knocks struct {
	mu   sync.Mutex
	seen map[int]knock // by ordinal
}

type knock struct {
	times        int
	first, rests time.Time // rests until then
}

// before reports that the message has knocked in vain.
func (k *knocks) before(ordinal int) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.seen[ordinal].times > 0
}

// inVain counts, and reports that it has been tried often and long enough.
func (k *knocks) inVain(ordinal int, patience time.Duration) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	this, now := k.seen[ordinal], time.Now()
	if this.times == 0 {
		this.first = now
	}
	this.rests = now.Add(again.Backoff(this.times, time.Second, time.Minute))
	this.times++
	if k.seen == nil {
		k.seen = map[int]knock{}
	}
	k.seen[ordinal] = this
	return this.times >= 10 && now.Sub(this.first) >= patience
}

func (k *knocks) forget() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.seen = nil
}

// rested gives those who do not rest, who never knocked in vain first, and
// when the next of the others has rested: zero when nobody rests.
func (k *knocks) rested(waiting []delivery.Recipient) (turn []delivery.Recipient, next time.Time) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if len(k.seen) == 0 {
		return waiting, next
	}
	now := time.Now()
	turn = slices.DeleteFunc(waiting, func(r delivery.Recipient) bool {
		until := k.seen[r.Ordinal].rests
		if !until.After(now) {
			return false
		}
		next = earlier(next, until)
		return true
	})
	slices.SortStableFunc(turn, func(a, b delivery.Recipient) int {
		return k.seen[a.Ordinal].times - k.seen[b.Ordinal].times
	})
	return turn, next
}

// earlier is the earlier of two times; zero is none.
func earlier(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}
