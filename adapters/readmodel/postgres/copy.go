package postgres

import (
	"context"
	"encoding/binary"
	"net"

	"github.com/jackc/pgx/v5"

	"github.com/cleversender/cleversender/projections"
)

// copyHeader begins a file of COPY BINARY: signature, no flags, no extension.
const copyHeader = "PGCOPY\n\xff\r\n\x00\x00\x00\x00\x00\x00\x00\x00\x00"

var copyTrailer = []byte{0xff, 0xff}

// copyIn adds rows to a table, none of whose keys is there yet.
func copyIn(ctx context.Context, tx pgx.Tx, s *statements, rows [][]byte) error {
	file := append(append(net.Buffers{[]byte(copyHeader)}, rows...), copyTrailer)
	_, err := tx.Conn().PgConn().CopyFrom(ctx, &file, "COPY "+s.name+" ("+s.columns+") FROM STDIN BINARY")
	return err
}

// tuple is a row of COPY BINARY: the number of its columns, and of each its length and bytes.
type tuple []byte

func tupleSize(row projections.Row) int {
	n := 2
	for _, v := range row {
		switch v := v.(type) {
		case int64:
			n += 4 + 8
		case string:
			n += 4 + len(v)
		case []byte:
			n += 4 + len(v)
		}
	}
	return n
}

func appendTuple(b []byte, row projections.Row) []byte {
	b = binary.BigEndian.AppendUint16(b, uint16(len(row)))
	for _, v := range row {
		switch v := v.(type) {
		case int64:
			b = binary.BigEndian.AppendUint32(b, 8)
			b = binary.BigEndian.AppendUint64(b, uint64(v))
		case string:
			b = binary.BigEndian.AppendUint32(b, uint32(len(v)))
			b = append(b, v...)
		case []byte:
			b = binary.BigEndian.AppendUint32(b, uint32(len(v)))
			b = append(b, v...)
		}
	}
	return b
}

func (b tuple) row(t *projections.Table) projections.Row {
	var few [16][]byte
	columns := few[:0]
	for b = b[2:]; len(b) > 0; {
		end := 4 + binary.BigEndian.Uint32(b)
		columns = append(columns, b[4:end])
		b = b[end:]
	}
	return row(columns, t)
}
