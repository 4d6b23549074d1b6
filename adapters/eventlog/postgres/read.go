package postgres

import (
	"bytes"
	"cmp"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"iter"
	"math"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/cleversender/cleversender/adapters/eventlog/group"
	"github.com/cleversender/cleversender/domain"
	"github.com/cleversender/cleversender/domain/event"
)

const (
	columns = "e.position, e.revision, e.at, e.kind, e.id, e.account, e.subject, e.actor, e.correlation, e.causation, e.stream, e.data"

	// pageBytes ends a page early, whatever number of events was asked for.
	pageBytes    = 4 << 20
	defaultBatch = 500

	// window bounds how many positions one query looks at for a sparse filter,
	// so that its follower moves on every few milliseconds.
	window = 32768
)

var (
	errKind = errors.New("an event is of an unknown kind")
	errRow  = errors.New("an event's row is damaged")
)

// query runs one query for columns. full says that bytes ended it early.
func (l *Log) query(ctx context.Context, expect, bytes int, text string, args ...any) (events []event.Stored, full bool, err error) {
	args = append([]any{pgx.QueryResultFormats{pgx.BinaryFormatCode}}, args...)
	err = l.read(ctx, func(ctx context.Context, conn *pgx.Conn) error {
		events = make([]event.Stored, 0, expect)
		full, err = l.collect(ctx, conn, &events, bytes, text, args)
		if errors.Is(err, errKind) { // made since by another process
			if err := l.loadKinds(ctx, conn); err != nil {
				return err
			}
			events = events[:0]
			full, err = l.collect(ctx, conn, &events, bytes, text, args)
		}
		return err
	})
	if err != nil {
		return nil, false, fmt.Errorf("read events: %w", err)
	}
	return events, full, nil
}

func (l *Log) collect(ctx context.Context, conn *pgx.Conn, events *[]event.Stored, bytes int, text string, args []any) (full bool, _ error) {
	rows, err := conn.Query(ctx, text, args...)
	if err != nil {
		return false, err
	}
	defer rows.Close()
	kinds, last, size := l.kinds.Load(), "", 0
	for rows.Next() {
		*events = append(*events, event.Stored{})
		e := &(*events)[len(*events)-1]
		if err := decode(rows.RawValues(), e, kinds, last); err != nil {
			return false, err
		}
		last = e.Stream
		if size += len(e.Data); size >= bytes {
			return true, nil
		}
	}
	return false, rows.Err()
}

// decode fills e from a row of columns. last is a stream's name that is likely
// the same, so that neighbours share it.
func decode(row [][]byte, e *event.Stored, kinds *group.Kindset, last string) error {
	if len(row) != 12 || len(row[0]) != 8 || len(row[1]) != 8 || len(row[2]) != 8 || len(row[3]) != 4 || len(row[4]) != 16 {
		return errRow
	}
	e.Position = event.Position(binary.BigEndian.Uint64(row[0]))
	e.Revision = binary.BigEndian.Uint64(row[1])
	e.At = time.UnixMicro(int64(binary.BigEndian.Uint64(row[2])) + epoch).UTC()
	kind, ok := kinds.Kinds[int64(binary.BigEndian.Uint32(row[3]))]
	if !ok {
		return fmt.Errorf("event at %d: %w", e.Position, errKind)
	}
	e.Type, e.Version = kind.Name, kind.Version
	e.ID = domain.ID(row[4])
	m := &e.Meta
	for i, id := range [...]*domain.ID{&m.Account, &m.Subject, &m.Actor, &m.Correlation, &m.Causation} {
		if b := row[5+i]; len(b) == 16 {
			*id = domain.ID(b)
		} else if b != nil {
			return errRow
		}
	}
	if e.Stream = last; string(row[10]) != last {
		e.Stream = string(row[10])
	}
	e.Data = bytes.Clone(row[11])
	return nil
}

const ofStream = "SELECT " + columns + " FROM (SELECT $1::text AS stream, $2::bigint AS lo, $3::bigint AS hi) q" + ofSpans + `
ORDER BY r.revision, e.position`

// ReadStream implements eventlog.Log.
func (l *Log) ReadStream(ctx context.Context, stream string, skip uint64, batch int) iter.Seq2[[]event.Stored, error] {
	if batch <= 0 {
		batch = defaultBatch
	}
	return func(yield func([]event.Stored, error) bool) {
		if !text(stream) {
			return // nothing can have been appended to it
		}
		skip, ask := skip, batch
		for {
			events, full, err := l.query(ctx, 0, pageBytes, ofStream, stream, int64(skip+1), int64(skip)+int64(ask))
			if err != nil {
				yield(nil, err)
				return
			}
			if len(events) == 0 || !yield(events, nil) || len(events) < ask && !full {
				return
			}
			skip, ask = events[len(events)-1].Revision, nextAsk(batch, len(events), full)
		}
	}
}

// nextAsk is how many events to ask for next: what does not fit a page is sent
// in vain.
func nextAsk(batch, got int, full bool) int {
	if full {
		return got
	}
	return min(batch, 2*got)
}

// ReadAt implements eventlog.Log.
func (l *Log) ReadAt(ctx context.Context, positions []event.Position) ([]event.Stored, error) {
	sorted := slices.Compact(slices.Sorted(slices.Values(positions)))
	at := make([]int64, len(sorted))
	for i, p := range sorted {
		at[i] = int64(p)
	}
	events, _, err := l.query(ctx, len(at), math.MaxInt, "SELECT "+columns+" FROM unnest($1::bigint[]) p JOIN events e ON e.position = p", at)
	slices.SortFunc(events, func(a, b event.Stored) int { return cmp.Compare(a.Position, b.Position) }) // it mostly is
	return events, err
}
