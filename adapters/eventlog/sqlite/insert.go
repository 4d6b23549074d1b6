package sqlite

import (
	"database/sql/driver"
	"fmt"
	"strings"
)

// rowsPerInsert: many rows a statement cost less than one each.
var rowsPerInsert = []int{64, 32, 16, 8, 4, 2, 1}

// inserter inserts rows into one table, many at a time.
type inserter struct {
	conn    *conn
	columns int
	texts   []string            // a statement for each of rowsPerInsert
	args    []driver.NamedValue // of the rows that wait
}

func newInserter(c *conn, table string, columns int) *inserter {
	in := &inserter{conn: c, columns: columns}
	row := "(" + strings.Repeat("?, ", columns-1) + "?)"
	for _, n := range rowsPerInsert {
		in.texts = append(in.texts, fmt.Sprintf("INSERT INTO %s VALUES %s%s", table, strings.Repeat(row+", ", n-1), row))
	}
	return in
}

// add takes a row; flush sends what add has not sent.
func (in *inserter) add(row ...driver.Value) error {
	for _, v := range row {
		in.args = append(in.args, driver.NamedValue{Ordinal: len(in.args) + 1, Value: v})
	}
	if len(in.args) == rowsPerInsert[0]*in.columns {
		return in.flush()
	}
	return nil
}

// flush leaves no row waiting, though it fails.
func (in *inserter) flush() error {
	args := in.args
	in.args = in.args[:0]
	for i, n := range rowsPerInsert {
		for ; len(args) >= n*in.columns; args = args[n*in.columns:] {
			now := args[:n*in.columns]
			for k := range now {
				now[k].Ordinal = k + 1
			}
			if err := in.conn.execNamed(in.texts[i], now); err != nil {
				return err
			}
		}
	}
	return nil
}
