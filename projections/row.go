package projections

import (
	"time"

	"github.com/cleversender/cleversender/domain"
	"github.com/cleversender/cleversender/domain/event"
)

// ID reads column i as an id; an empty one is the zero ID.
func (r Row) ID(i int) domain.ID {
	if b := r[i].([]byte); len(b) == len(domain.ID{}) {
		return domain.ID(b)
	}
	return domain.ID{}
}

// Int reads column i.
func (r Row) Int(i int) int { return int(r[i].(int64)) }

// Position reads column i as a place in the log.
func (r Row) Position(i int) event.Position { return event.Position(r[i].(int64)) }

// Bool reads column i, stored as 0 or 1.
func (r Row) Bool(i int) bool { return r[i].(int64) != 0 }

// Text reads column i.
func (r Row) Text(i int) string { return r[i].(string) }

// Bytes reads column i; the bytes are the row's.
func (r Row) Bytes(i int) []byte { return r[i].([]byte) }

// Time reads column i as UTC with microseconds; 0 is the zero time.
func (r Row) Time(i int) time.Time { return Time(r[i].(int64)) }

// Time is what Micros was made of.
func Time(micros int64) time.Time {
	if micros == 0 {
		return time.Time{}
	}
	return time.UnixMicro(micros).UTC()
}

// Micros is the column of a time, as Row.Time reads it.
func Micros(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMicro()
}

// Flag is the column of a bool, as Row.Bool reads it.
func Flag(b bool) int64 {
	if b {
		return 1
	}
	return 0
}
