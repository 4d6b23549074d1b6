package postgres

import (
	"context"
	"iter"
	"maps"
	"slices"

	"github.com/cleversender/cleversender/adapters/eventlog"
	"github.com/cleversender/cleversender/domain/event"
)

// Follow implements eventlog.Log.
func (l *Log) Follow(ctx context.Context, after event.Position, types []string, batch int) iter.Seq2[eventlog.Page, error] {
	if batch <= 0 {
		batch = defaultBatch
	}
	return func(yield func(eventlog.Page, error) bool) {
		l.followers.Add(1)
		defer l.followers.Add(-1)
		l.look()
		l.tail.Follow(ctx, l.closing, (&pager{l, batch}).read, after, types, batch)(yield)
	}
}

// pager reads what has left memory, for one follower.
type pager struct {
	log *Log
	ask int // events
}

const ofLog = "SELECT " + columns + ` FROM events e
WHERE e.position > $1 AND e.position <= $2 ORDER BY e.position LIMIT $3`

// ofTypes asks for the kinds in the same breath: another process may just have
// made one. $5 is what is known; NULL: everything.
const ofTypes = "SELECT " + columns + ` FROM events e
WHERE e.position > $1 AND e.position <= $2
AND e.kind = ANY (ARRAY(SELECT id FROM kinds
	WHERE name = ANY ($4::text[]) OR $5::jsonb IS NOT NULL AND version > coalesce(($5::jsonb ->> name)::bigint, 0)))
ORDER BY e.position LIMIT $3`

// read implements group.Read.
func (p *pager) read(ctx context.Context, after, head event.Position, types map[string]bool, batch int) (eventlog.Page, error) {
	ask := min(p.ask, batch)
	text, to, filter := ofLog, min(head, after+event.Position(ask)), []any(nil)
	if types != nil {
		text, to = ofTypes, min(head, after+event.Position(max(window, batch)))
		filter = []any{slices.Collect(maps.Keys(types)), p.log.known}
	}
	args := append([]any{int64(after), int64(to), int64(ask)}, filter...)
	events, full, err := p.log.query(ctx, min(ask, int(to-after)), pageBytes, text, args...)
	if err != nil {
		return eventlog.Page{}, err
	}
	page := eventlog.Page{Events: events, Next: to}
	if n := len(events); full || n == ask {
		page.Next, p.ask = events[n-1].Position, nextAsk(batch, n, full)
	}
	return page, nil
}
