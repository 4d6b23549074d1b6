package postgres

import (
	"encoding/binary"

	"github.com/jackc/pgx/v5/pgtype"

	"github.com/cleversender/cleversender/projections"
)

// argument is a column as the driver takes it; nil bytes are empty, never NULL.
func argument(v any) any {
	switch v := v.(type) {
	case string:
		return []byte(v)
	case []byte:
		if v == nil {
			return []byte{}
		}
	}
	return v
}

func arguments(columns []any) []any {
	out := make([]any, len(columns))
	for i, v := range columns {
		out[i] = argument(v)
	}
	return out
}

// arrays are rows, or keys, column by column.
func arrays[R ~[]any](t *projections.Table, width int, rows []R) []any {
	out := make([]any, width)
	for i := range out {
		if t.Column(i).Kind == projections.Int {
			column := make(pgtype.FlatArray[int64], len(rows))
			for k, row := range rows {
				column[k] = row[i].(int64)
			}
			out[i] = column
			continue
		}
		column := make(pgtype.FlatArray[[]byte], len(rows))
		for k, row := range rows {
			column[k] = argument(row[i]).([]byte)
		}
		out[i] = column
	}
	return out
}

// row is a row in the binary format; its bytes are its own.
func row(raw [][]byte, t *projections.Table) projections.Row {
	size := 0
	for _, v := range raw {
		size += len(v)
	}
	own := make([]byte, 0, size)
	out := make(projections.Row, len(raw))
	for i, v := range raw {
		switch t.Column(i).Kind {
		case projections.Int:
			out[i] = int64(binary.BigEndian.Uint64(v))
		case projections.Text:
			out[i] = string(v)
		case projections.Bytes:
			n := len(own)
			own = append(own, v...)
			out[i] = own[n:len(own):len(own)]
		}
	}
	return out
}
