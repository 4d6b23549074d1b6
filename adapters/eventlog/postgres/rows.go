package postgres

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/cleversender/cleversender/adapters/eventlog"
	"github.com/cleversender/cleversender/adapters/eventlog/group"
	"github.com/cleversender/cleversender/domain"
	"github.com/cleversender/cleversender/domain/event"
)

var errText = errors.New("append: the stream's name is not text")

// copied is the columns of rows, in their order.
const copied = "position, run, revision, at, kind, id, account, subject, actor, correlation, causation, stream, data"

// rows is an append in the binary format of COPY: for each row the number of
// its fields, for each field its length and its bytes. Who writes them fills
// in position and run.
type rows struct {
	bytes []byte
	ends  []int // of each row
}

const (
	fields     = 13
	positionAt = 2 + 4
	runAt      = positionAt + 8 + 4
)

// epoch is PostgreSQL's, in microseconds since 1970.
const epoch = 946_684_800_000_000

func (l *Log) encode(ctx context.Context, a *eventlog.Append) (rows, error) {
	if !text(a.Stream) {
		return rows{}, errText
	}
	ids, err := l.intern(ctx, a.Events)
	if err != nil {
		return rows{}, err
	}
	size := 0
	for i := range a.Events {
		size += 2 + fields*4 + 8 + 4 + 8 + 8 + 4 + 6*16 + len(a.Stream) + len(a.Events[i].Data)
	}
	r := rows{make([]byte, 0, size), make([]int, len(a.Events))}
	for i := range a.Events {
		r.add(&a.Events[i], a.Stream, a.Expect+1+uint64(i), ids)
		r.ends[i] = len(r.bytes)
	}
	return r, nil
}

// text reports whether PostgreSQL takes it as one.
func text(s string) bool { return utf8.ValidString(s) && strings.IndexByte(s, 0) < 0 }

func (r *rows) add(e *event.Stored, stream string, revision uint64, ids map[group.Kind]int64) {
	b := binary.BigEndian.AppendUint16(r.bytes, fields)
	b = bigint(b, 0)
	b = integer(b, 0)
	b = bigint(b, revision)
	b = bigint(b, uint64(e.At.UnixMicro()-epoch))
	b = integer(b, uint32(ids[group.Kind{Name: e.Type, Version: e.Version}]))
	b = append(length(b, 16), e.ID[:]...)
	m := &e.Meta
	for _, id := range [...]*domain.ID{&m.Account, &m.Subject, &m.Actor, &m.Correlation, &m.Causation} {
		if id.IsZero() {
			b = length(b, -1) // NULL
		} else {
			b = append(length(b, 16), id[:]...)
		}
	}
	b = append(length(b, len(stream)), stream...)
	r.bytes = append(length(b, len(e.Data)), e.Data...)
}

func length(b []byte, n int) []byte     { return binary.BigEndian.AppendUint32(b, uint32(int32(n))) }
func bigint(b []byte, v uint64) []byte  { return binary.BigEndian.AppendUint64(length(b, 8), v) }
func integer(b []byte, v uint32) []byte { return binary.BigEndian.AppendUint32(length(b, 4), v) }

// start is where a row begins.
func (r *rows) start(row int) int {
	if row == 0 {
		return 0
	}
	return r.ends[row-1]
}

// place fills in where the rows from known on are, and returns them.
func (r *rows) place(known int, position event.Position) []byte {
	run := len(r.ends) - known
	for row := known; row < len(r.ends); row++ {
		b := r.bytes[r.start(row):]
		binary.BigEndian.PutUint64(b[positionAt:], uint64(position))
		binary.BigEndian.PutUint32(b[runAt:], uint32(run))
		position, run = position+1, 0
	}
	return r.bytes[r.start(known):]
}

// What COPY begins and ends with: signature, no flags, no extension; no more rows.
var (
	copyHeader  = []byte("PGCOPY\n\xff\r\n\x00\x00\x00\x00\x00\x00\x00\x00\x00")
	copyTrailer = []byte{0xff, 0xff}
)

// stream is bytes in pieces. It fills what it is given: what is read at once
// is sent at once. Who reads it may do so after COPY has failed, so it ends
// before rows are placed again.
type stream struct {
	mu     sync.Mutex
	pieces [][]byte
}

func newStream(p *group.Plan[rows]) *stream {
	s := &stream{pieces: make([][]byte, 0, len(p.Runs)+2)}
	s.pieces = append(s.pieces, copyHeader)
	for i := range p.Runs {
		r := &p.Runs[i]
		s.pieces = append(s.pieces, r.Item.Encoded.place(r.Known, r.Position))
	}
	s.pieces = append(s.pieces, copyTrailer)
	return s
}

// Read implements io.Reader.
func (s *stream) Read(b []byte) (n int, _ error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for n < len(b) && len(s.pieces) > 0 {
		c := copy(b[n:], s.pieces[0])
		n += c
		if s.pieces[0] = s.pieces[0][c:]; len(s.pieces[0]) == 0 {
			s.pieces = s.pieces[1:]
		}
	}
	if n == 0 {
		return 0, io.EOF
	}
	return n, nil
}

func (s *stream) end() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.pieces = nil
}
