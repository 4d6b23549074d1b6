package sqlite

import (
	"context"
	"database/sql/driver"
	"fmt"
	"iter"
	"slices"

	"github.com/cleversender/cleversender/adapters/eventlog/group"
	"github.com/cleversender/cleversender/domain/event"
)

// ofStream is the events of a stream from one revision to another, both
// included: ?1 stream, ?2 from, ?3 to. It starts at the run that holds the
// first, so a page costs the same anywhere in a long stream.
const ofStream = `
FROM runs r CROSS JOIN events e
WHERE r.stream = ?1
  AND r.revision >= ifnull((SELECT max(revision) FROM runs WHERE stream = ?1 AND revision <= ?2), ?2)
  AND r.revision <= ?3
  AND e.position >= r.position + max(0, ?2 - r.revision)
  AND e.position < r.position + min(r.length, ?3 + 1 - r.revision)
ORDER BY r.revision, e.position`

const columns = "e.position, e.kind, e.envelope, e.data"

// pageBytes ends a page early, whatever number of events was asked for.
const pageBytes = 4 << 20

// page collects rows of columns into events.
type page struct {
	kinds  *group.Kinds
	set    *group.Kindset
	events []event.Stored
	stream string // of the last event
	bytes  int
	full   bool // of bytes: there may be more
}

func (p *page) add(row []driver.Value) error {
	p.events = append(p.events, event.Stored{Position: event.Position(row[0].(int64))})
	e := &p.events[len(p.events)-1]
	k, ok := p.set.Kinds[row[1].(int64)]
	if !ok { // made since
		p.set = p.kinds.Load()
		if k, ok = p.set.Kinds[row[1].(int64)]; !ok {
			return fmt.Errorf("event at %d: of unknown kind %d", e.Position, row[1])
		}
	}
	e.Type, e.Version = k.Name, k.Version
	envelope, _ := row[2].([]byte)
	if err := readEnvelope(envelope, e, p.stream); err != nil {
		return fmt.Errorf("event at %d: %w", e.Position, err)
	}
	p.stream = e.Stream
	e.Data, _ = row[3].([]byte)
	if p.bytes += len(e.Data); p.bytes < pageBytes {
		return nil
	}
	p.full = true
	return errEnough
}

// read runs one query for events. expect is a guess of how many there are;
// full says that the page ends early.
func (l *Log) read(ctx context.Context, expect int, text string, args ...driver.Value) (_ []event.Stored, full bool, _ error) {
	p := &page{kinds: l.kinds, set: l.kinds.Load(), events: make([]event.Stored, 0, expect)}
	err := l.reading.use(ctx, l.closing, func(c *conn) error { return c.query(text, args, p.add) })
	if err != nil {
		return nil, false, fmt.Errorf("read events: %w", err)
	}
	return p.events, p.full, nil
}

const defaultBatch = 500

// ReadStream implements eventlog.Log.
func (l *Log) ReadStream(ctx context.Context, stream string, skip uint64, batch int) iter.Seq2[[]event.Stored, error] {
	if batch <= 0 {
		batch = defaultBatch
	}
	return func(yield func([]event.Stored, error) bool) {
		skip := skip
		for {
			events, full, err := l.read(ctx, 0, "SELECT "+columns+ofStream, stream, int64(skip+1), int64(skip)+int64(batch))
			if err != nil {
				yield(nil, err)
				return
			}
			if len(events) == 0 || !yield(events, nil) || len(events) < batch && !full {
				return
			}
			skip = events[len(events)-1].Revision
		}
	}
}

// ReadAt implements eventlog.Log.
func (l *Log) ReadAt(ctx context.Context, positions []event.Position) ([]event.Stored, error) {
	p := &page{kinds: l.kinds, set: l.kinds.Load(), events: make([]event.Stored, 0, len(positions))}
	err := l.reading.use(ctx, l.closing, func(c *conn) error {
		for _, at := range slices.Compact(slices.Sorted(slices.Values(positions))) {
			if err := ctx.Err(); err != nil {
				return err
			}
			if err := c.query("SELECT "+columns+" FROM events e WHERE e.position = ?", []driver.Value{int64(at)}, p.add); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read events: %w", err)
	}
	return p.events, nil
}
