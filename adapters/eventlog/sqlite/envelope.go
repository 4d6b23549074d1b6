package sqlite

import (
	"context"
	"encoding/binary"
	"errors"
	"time"

	"github.com/cleversender/cleversender/adapters/eventlog"
	"github.com/cleversender/cleversender/domain"
	"github.com/cleversender/cleversender/domain/event"
)

// The envelope is stored as
//
//	1 byte   which ids of Meta follow, a bit each; sameCause: Causation is Correlation
//	16 bytes id
//	8 bytes  recorded at, microseconds since 1970, big endian
//	16 bytes for each id that follows
//	varint   revision
//	the rest stream
const (
	hasAccount = 1 << iota
	hasSubject
	hasActor
	hasCorrelation
	hasCausation
	sameCause

	fixed = 1 + 16 + 8
)

var errEnvelope = errors.New("an event's envelope is damaged")

// envelopes is one for each event of an append.
type envelopes [][]byte

func encode(_ context.Context, a *eventlog.Append) (envelopes, error) {
	out := make(envelopes, len(a.Events))
	buf := make([]byte, 0, len(a.Events)*(fixed+4*16+3+len(a.Stream)))
	for i := range a.Events {
		start := len(buf)
		buf = appendEnvelope(buf, &a.Events[i], a.Stream, a.Expect+1+uint64(i))
		out[i] = buf[start:len(buf):len(buf)]
	}
	return out, nil
}

func appendEnvelope(b []byte, e *event.Stored, stream string, revision uint64) []byte {
	start := len(b)
	b = append(append(b, 0), e.ID[:]...)
	b = binary.BigEndian.AppendUint64(b, uint64(e.At.UnixMicro()))
	var which byte
	put := func(id *domain.ID, bit byte) {
		if !id.IsZero() {
			which, b = which|bit, append(b, id[:]...)
		}
	}
	m := &e.Meta
	put(&m.Account, hasAccount)
	put(&m.Subject, hasSubject)
	put(&m.Actor, hasActor)
	put(&m.Correlation, hasCorrelation)
	if m.Causation == m.Correlation {
		which |= sameCause
	} else {
		put(&m.Causation, hasCausation)
	}
	b[start] = which
	b = binary.AppendUvarint(b, revision)
	return append(b, stream...)
}

// readEnvelope fills e. last is a stream's name that is likely the same, so
// that neighbours share it.
func readEnvelope(b []byte, e *event.Stored, last string) error {
	if len(b) < fixed {
		return errEnvelope
	}
	which := b[0]
	e.ID = domain.ID(b[1:17])
	e.At = time.UnixMicro(int64(binary.BigEndian.Uint64(b[17:]))).UTC()
	b = b[fixed:]
	m := &e.Meta
	ids := [...]*domain.ID{&m.Account, &m.Subject, &m.Actor, &m.Correlation, &m.Causation}
	for i, id := range ids {
		if which&(1<<i) == 0 {
			continue
		}
		if len(b) < 16 {
			return errEnvelope
		}
		*id, b = domain.ID(b[:16]), b[16:]
	}
	if which&sameCause != 0 {
		m.Causation = m.Correlation
	}
	revision, n := binary.Uvarint(b)
	if n <= 0 {
		return errEnvelope
	}
	if e.Revision = revision; string(b[n:]) == last {
		e.Stream = last
	} else {
		e.Stream = string(b[n:])
	}
	return nil
}
