package bounce

import (
	"testing"
	"time"

	"github.com/cleversender/cleversender/domain"
)

// Two futures of one history share nothing that changes.
func TestHistoryIsNotChangedInPlace(t *testing.T) {
	soft := func(n byte, at int64) Received {
		return Received{Campaign: domain.ID{n}, Kind: Soft, At: time.Unix(at, 0)}
	}
	var h History
	for n := range byte(5) {
		h = h.Apply(soft(n+1, int64(n)))
	}
	one, other := h.Apply(soft(6, 6)), h.Apply(soft(7, 1e9))
	if !one.Bounced(Letter{Campaign: domain.ID{6}}, Soft) || one.Bounced(Letter{Campaign: domain.ID{7}}, Soft) {
		t.Error("another future's report is in this one")
	}
	if p := (Policy{6, 6 * time.Second}); !p.GivesUp(one) || p.GivesUp(other) {
		t.Error("another future's date is in this one")
	}
}
