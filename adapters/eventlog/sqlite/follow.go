package sqlite

import (
	"context"
	"iter"

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
	var filter map[string]bool
	if types != nil {
		filter = map[string]bool{}
		for _, t := range types {
			filter[t] = true
		}
	}
	return func(yield func(eventlog.Page, error) bool) {
		after := after
		for first := true; ; first = false {
			page, grown, ok := l.tail.page(after, filter, batch)
			switch {
			case !ok:
				if after, ok = l.catchUp(ctx, after, filter, batch, yield); !ok {
					return
				}
			case page.Next > after || first:
				if ctx.Err() != nil || l.isClosing() || !yield(page, nil) {
					return
				}
				after = page.Next
			default:
				select {
				case <-grown:
				case <-ctx.Done():
					return
				case <-l.closing:
					return
				}
			}
		}
	}
}

func (l *Log) isClosing() bool {
	select {
	case <-l.closing:
		return true
	default:
		return false
	}
}

type read struct {
	page eventlog.Page
	err  error
}

// catchUp yields pages from the database up to what was the head when it
// began. It reads ahead while the consumer works. ok is false when following ends.
func (l *Log) catchUp(ctx context.Context, after event.Position, filter map[string]bool, batch int,
	yield func(eventlog.Page, error) bool,
) (_ event.Position, ok bool) {
	ctx, cancel := context.WithCancel(ctx)
	reads := make(chan read, 1)
	go func() {
		defer close(reads)
		head := l.tail.position()
		for at := after; at < head; {
			page, err := l.readPage(ctx, at, head, filter, batch)
			select {
			case reads <- read{page, err}:
			case <-ctx.Done():
				return
			case <-l.closing:
				return
			}
			if err != nil {
				return
			}
			at = page.Next
		}
	}()
	defer func() {
		cancel()
		for range reads { // until it has let go of its connection
		}
	}()
	for r := range reads {
		if ctx.Err() != nil || l.isClosing() {
			return after, false
		}
		if r.err != nil {
			yield(eventlog.Page{}, r.err)
			return after, false
		}
		if !yield(r.page, nil) {
			return after, false
		}
		after = r.page.Next
	}
	return after, ctx.Err() == nil && !l.isClosing()
}

func (l *Log) readPage(ctx context.Context, after, head event.Position, filter map[string]bool, batch int) (eventlog.Page, error) {
	where, to := "", min(head, after+event.Position(batch))
	if filter != nil {
		in := l.kinds.load().in(filter)
		if in == "" { // never stored so far
			return eventlog.Page{Next: head}, nil
		}
		where, to = " AND e.kind IN ("+in+")", min(head, after+event.Position(max(window, batch)))
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
