package sending

import (
	"time"

	"github.com/cleversender/cleversender/domain"
	"github.com/cleversender/cleversender/domain/campaign"
	"github.com/cleversender/cleversender/domain/delivery"
)

// Turn is one message that is about to be intended.
type Turn struct {
	Account, Campaign domain.ID
	Settings          campaign.Settings
	Domain            string // the recipient's, A-labels, lower case
}

// Limits say who may be sent to now, before anything is intended. They are
// used by many goroutines at once.
type Limits interface {
	// Admit takes a place for one message, or says when asking again is worth it.
	Admit(t Turn, now time.Time) (again time.Time, ok bool)
	// Heard is told once for each admitted message how it ended; not tried: it
	// did not leave, and its place is free again. stop, unless "", is why the
	// campaign has to be paused.
	Heard(t Turn, r delivery.Reply, tried bool, now time.Time) (stop string)
}
