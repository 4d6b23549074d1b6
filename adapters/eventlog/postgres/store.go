package postgres

import (
	"context"
	"errors"

	"github.com/jackc/pgx/v5"

	"github.com/cleversender/cleversender/adapters/eventlog/group"
	"github.com/cleversender/cleversender/domain/event"
)

// store is what a plan needs to know of the database, asked for all of its
// appends at once, under the lock of log_head. It implements group.Store.
type store struct {
	lengths map[string]uint64
	held    map[span][]group.Place
}

// span is part of a stream, both ends included.
type span struct {
	stream   string
	from, to uint64
}

var errNotAsked = errors.New("a plan needs what was not asked")

// Length implements group.Store.
func (s *store) Length(stream string) (uint64, error) { return s.lengths[stream], nil }

// Held implements group.Store.
func (s *store) Held(stream string, from, to uint64) ([]group.Place, error) {
	places, ok := s.held[span{stream, from, to}]
	if !ok {
		return nil, errNotAsked
	}
	return places, nil
}

const lengthsOf = `
SELECT s.stream, l.length
FROM unnest($1::text[]) s(stream)
CROSS JOIN LATERAL (
	SELECT revision + run - 1 AS length FROM events
	WHERE stream = s.stream AND run > 0 ORDER BY revision DESC LIMIT 1
) l`

// begin begins a transaction, waits for the lock, and reads where the log ends
// and how long streams are.
func begin(ctx context.Context, conn *pgx.Conn, streams []string) (head event.Position, s *store, err error) {
	s = &store{lengths: make(map[string]uint64, len(streams)), held: map[span][]group.Place{}}
	b := &pgx.Batch{}
	b.Queue("BEGIN")
	b.Queue("SELECT pos FROM log_head FOR UPDATE")
	if len(streams) > 0 {
		b.Queue(lengthsOf, streams)
	}
	results := conn.SendBatch(ctx, b)
	defer func() {
		if closed := results.Close(); err == nil {
			err = closed
		}
	}()
	if _, err := results.Exec(); err != nil {
		return 0, nil, err
	}
	if err := results.QueryRow().Scan(&head); err != nil || len(streams) == 0 {
		return head, s, err
	}
	rows, err := results.Query()
	if err != nil {
		return 0, nil, err
	}
	var stream string
	var length uint64
	_, err = pgx.ForEachRow(rows, []any{&stream, &length}, func() error {
		s.lengths[stream] = length
		return nil
	})
	return head, s, err
}

// ofSpans is the events e of parts q of streams, from lo to hi, both included.
// It starts at the run that holds the first, so a page costs the same anywhere
// in a long stream.
const ofSpans = `
CROSS JOIN LATERAL (
	SELECT max(revision) AS revision FROM events WHERE stream = q.stream AND run > 0 AND revision <= q.lo
) f
JOIN events r ON r.stream = q.stream AND r.run > 0 AND r.revision >= coalesce(f.revision, q.lo) AND r.revision <= q.hi
JOIN events e ON e.position >= r.position + greatest(0, q.lo - r.revision)
	AND e.position < r.position + least(r.run, q.hi + 1 - r.revision)`

const heldOf = `
SELECT q.n, e.position, e.id
FROM unnest($1::text[], $2::bigint[], $3::bigint[]) WITH ORDINALITY q(stream, lo, hi, n)` + ofSpans + `
ORDER BY q.n, r.revision, e.position`

// hold reads which events are where these appends are to be.
func (s *store) hold(ctx context.Context, conn *pgx.Conn, items []*group.Item[rows]) error {
	var spans []span
	var streams []string
	var from, to []int64
	for _, it := range items {
		a := &it.Append
		if s.lengths[a.Stream] <= a.Expect {
			continue
		}
		at := span{a.Stream, a.Expect + 1, a.Expect + uint64(len(a.Events))}
		if _, asked := s.held[at]; asked {
			continue
		}
		s.held[at] = nil
		spans = append(spans, at)
		streams, from, to = append(streams, at.stream), append(from, int64(at.from)), append(to, int64(at.to))
	}
	if spans == nil {
		return nil
	}
	rows, err := conn.Query(ctx, heldOf, streams, from, to)
	if err != nil {
		return err
	}
	var n int
	var p group.Place
	_, err = pgx.ForEachRow(rows, []any{&n, &p.Position, (*[16]byte)(&p.ID)}, func() error {
		at := spans[n-1]
		s.held[at] = append(s.held[at], p)
		return nil
	})
	return err
}
