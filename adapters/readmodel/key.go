package readmodel

import (
	"encoding/binary"
	"fmt"

	"github.com/cleversender/cleversender/projections"
)

// AppendKey appends columns so that the bytes sort as the columns do, first
// column first, and a prefix of the columns is a prefix of the bytes.
func AppendKey(b []byte, columns ...any) []byte {
	for _, c := range columns {
		switch c := c.(type) {
		case int64:
			b = binary.BigEndian.AppendUint64(b, uint64(c)^1<<63)
		case string:
			b = appendEscaped(b, c)
		case []byte:
			b = appendEscaped(b, c)
		}
	}
	return b
}

// appendEscaped ends with 0 1; a 0 inside becomes 0 2.
func appendEscaped[T string | []byte](b []byte, s T) []byte {
	for i := range len(s) {
		if b = append(b, s[i]); s[i] == 0 {
			b = append(b, 2)
		}
	}
	return append(b, 0, 1)
}

// CheckKey reports what is not a whole key of a table.
func CheckKey(t *projections.Table, key []any) error {
	if len(key) < len(t.Key) {
		return fmt.Errorf("table %s: a key of %d columns has %d", t.Name, len(t.Key), len(key))
	}
	return Check(t, key, false)
}

// Check reports columns that are not what a table has there, as a prefix of
// its key or (whole) as a row.
func Check(t *projections.Table, columns []any, whole bool) error {
	n := len(t.Key)
	if whole {
		n += len(t.Values)
	}
	if len(columns) > n || whole && len(columns) < n {
		return fmt.Errorf("table %s: %d columns for %d", t.Name, len(columns), n)
	}
	for i, c := range columns {
		column := t.Column(i)
		switch c.(type) {
		case int64:
			if column.Kind == projections.Int {
				continue
			}
		case string:
			if column.Kind == projections.Text {
				continue
			}
		case []byte:
			if column.Kind == projections.Bytes {
				continue
			}
		}
		return fmt.Errorf("table %s, column %s: a %T", t.Name, column.Name, c)
	}
	return nil
}

// Shape tells tables apart: two models of the same shape can answer the same questions.
func Shape(tables []*projections.Table) string {
	var s []byte
	for _, t := range tables {
		s = fmt.Appendf(s, "%s %v %v\n", t.Name, t.Key, t.Values)
	}
	return string(s)
}
