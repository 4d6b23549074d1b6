package audience

import (
	"context"
	"sync"

	"github.com/cleversender/cleversender/domain"
	"github.com/cleversender/cleversender/domain/event"
	"github.com/cleversender/cleversender/projections"
)

// retractions say when somebody began to let less be tracked, newest first.
var retractions = &projections.Table{
	Name:   "retractions",
	Key:    []projections.Column{{Name: "before", Kind: projections.Int}}, // the position of the event, negative
	Values: []projections.Column{{Name: "person", Kind: projections.Bytes}},
}

// retracted keeps that somebody let more be tracked before an event.
func (p *page) retracted(s *person, was Tracking, e event.Recorded) error {
	now := s.tracking()
	if was.Opens && !now.Opens || was.Clicks && !now.Clicks {
		return p.rows.Put(retractions, projections.Row{-int64(e.Position), e.Meta.Subject[:]})
	}
	return nil
}

// Mailed is a person who was sent a message.
type Mailed struct {
	Who
	// After is a position before that of the intent to send it, 0 when none is known.
	After event.Position
}

// Retractions says of people who were sent a message whether what it tracks may
// still be recorded. Only what was allowed then is in a message, so that it has to
// know no more than who has taken something back since: it remembers the last of
// those, and looks the others up.
type Retractions struct {
	most int

	mu   sync.Mutex
	last map[domain.ID]event.Position // of each person, the last retraction
	from event.Position               // all that came later are in last
	seen event.Position               // the newest
}

// NewRetractions remembers up to most people.
func NewRetractions(most int) *Retractions {
	return &Retractions{most: most, last: map[domain.ID]event.Position{}}
}

// TrackingOf says of each what may be recorded of what their message tracks, in
// the order asked. What r reads is as of a position at least.
func (m *Retractions) TrackingOf(ctx context.Context, r projections.Reader, asOf event.Position, people []Mailed) ([]Tracking, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.catchUp(ctx, r); err != nil {
		return nil, err
	}
	out := make([]Tracking, len(people))
	var unsure []Who
	var places []int
	for i, p := range people {
		if p.After > 0 && p.After >= m.from && p.After <= asOf && m.last[p.Person] <= p.After {
			out[i] = Tracking{Opens: true, Clicks: true}
			continue
		}
		unsure, places = append(unsure, p.Who), append(places, i)
	}
	if len(unsure) == 0 {
		return out, nil
	}
	found, err := TrackingOf(ctx, r, unsure)
	for k, t := range found {
		out[places[k]] = t
	}
	return out, err
}

// catchUp reads retractions from the newest to the last that it has seen.
func (m *Retractions) catchUp(ctx context.Context, r projections.Reader) error {
	newest := m.seen
	var after []any
	for limit, more := 1, true; more; limit = min(16*limit, 1000) {
		rows, err := r.Scan(ctx, retractions, nil, after, limit)
		if err != nil {
			return err
		}
		more = len(rows) == limit
		for _, row := range rows {
			at, person := event.Position(-row.Int(0)), row.ID(1)
			if at <= m.seen {
				more = false
				break
			}
			newest = max(newest, at)
			m.last[person] = max(m.last[person], at)
			after = row[:1]
		}
		if len(m.last) > m.most { // begin anew: what was sent before is looked up
			clear(m.last)
			m.from, more = newest, false
		}
	}
	m.seen = newest
	return nil
}
