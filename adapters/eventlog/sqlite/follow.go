package sqlite

import (
	"context"
	"iter"
	"strconv"

	"github.com/cleversender/cleversender/adapters/eventlog"
	"github.com/cleversender/cleversender/domain/event"
)

// window bounds how many positions one query looks at for a sparse filter, so
// that its follower moves on every few milliseconds.
const window = 32768

// Follow implements eventlog.Log.
func (l *Log) Follow(ctx context.Context, after event.Position, types []string, batch int) iter.Seq2[eventlog.Page, error] {
	if batch <= 0 {
		batch = defaultBatch
	}
	return l.tail.Follow(ctx, l.closing, l.readPage, after, types, batch)
}

func (l *Log) readPage(ctx context.Context, after, head event.Position, filter map[string]bool, batch int) (eventlog.Page, error) {
	where, to := "", min(head, after+event.Position(batch))
	if filter != nil {
		ids := l.kinds.Load().Of(filter, l.known)
		if len(ids) == 0 { // never stored so far
			return eventlog.Page{Next: head}, nil
		}
		where, to = " AND e.kind IN ("+list(ids)+")", min(head, after+event.Position(max(window, batch)))
	}
	events, full, err := l.read(ctx, min(batch, int(to-after)),
		"SELECT "+columns+" FROM events e WHERE e.position > ? AND e.position <= ?"+where+" ORDER BY e.position LIMIT ?",
		int64(after), int64(to), int64(batch))
	if err != nil {
		return eventlog.Page{}, err
	}
	page := eventlog.Page{Events: events, Next: to}
	if n := len(events); full || n == batch {
		page.Next = events[n-1].Position
	}
	return page, nil
}

// list is a list in SQL: "1,2,5". In order, so that the same ids make the same statement.
func list(ids []int64) string {
	var b []byte
	for i, id := range ids {
		if i > 0 {
			b = append(b, ',')
		}
		b = strconv.AppendInt(b, id, 10)
	}
	return string(b)
}
