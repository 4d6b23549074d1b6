package recipient

import (
	"sync"

	"github.com/cleversender/cleversender/domain"
	"github.com/cleversender/cleversender/domain/engagement"
)

// writer is a stream of hits, and how long it is.
type writer struct {
	id       domain.ID
	stream   string
	revision uint64 // the scribe's alone
}

// writers are the streams that hits are written to now, one a campaign.
type writers struct {
	newID func() domain.ID

	mu  sync.RWMutex
	now map[domain.ID]*writer
}

// of is the campaign's.
func (w *writers) of(campaign domain.ID) *writer {
	w.mu.RLock()
	one := w.now[campaign]
	w.mu.RUnlock()
	if one != nil {
		return one
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if one = w.now[campaign]; one == nil {
		id := w.newID()
		one = &writer{id: id, stream: engagement.Stream(campaign, id)}
		w.now[campaign] = one
	}
	return one
}

// leave has the campaign's next hits go to another stream.
func (w *writers) leave(campaign domain.ID) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.now, campaign)
}
