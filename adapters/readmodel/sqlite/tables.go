package sqlite

import (
	"database/sql/driver"
	"fmt"
	"strings"

	"github.com/cleversender/cleversender/projections"
)

// kinds are the column types of a STRICT table.
var kinds = map[projections.Kind]string{
	projections.Int: "INTEGER", projections.Text: "TEXT", projections.Bytes: "BLOB",
}

// rowsPerPut: many rows a statement cost less than one each.
const rowsPerPut = 32

// keysPerGet: looking many keys up in a statement costs half as much as one each.
const keysPerGet = 32

// statements are the SQL of one table.
type statements struct {
	table   *projections.Table
	width   int // columns
	get     string
	getMany string // keysPerGet keys; the number of the key comes before the row
	put     string // one row
	putMany string // rowsPerPut rows
}

func statementsOf(t *projections.Table) *statements {
	s := &statements{table: t, width: len(t.Key) + len(t.Values)}
	s.get = "SELECT * FROM " + quote(t.Name) + " WHERE " + equal(t, len(t.Key))
	s.getMany = getManyOf(t)
	row := "(?" + strings.Repeat(", ?", s.width-1) + ")"
	s.put = "REPLACE INTO " + quote(t.Name) + " VALUES " + row
	s.putMany = s.put + strings.Repeat(", "+row, rowsPerPut-1)
	return s
}

// getManyOf goes through the keys in the order given (CROSS JOIN), and looks each up.
func getManyOf(t *projections.Table) string {
	var ask, on []string
	for i := range keysPerGet {
		ask = append(ask, fmt.Sprintf("(%d%s)", i, strings.Repeat(", ?", len(t.Key))))
	}
	for i, c := range t.Key {
		on = append(on, fmt.Sprintf("t.%s = asked.column%d", quote(c.Name), i+2))
	}
	return "SELECT asked.column1, t.* FROM (VALUES " + strings.Join(ask, ", ") + ") AS asked CROSS JOIN " +
		quote(t.Name) + " AS t ON " + strings.Join(on, " AND ")
}

func create(t *projections.Table) string {
	var b strings.Builder
	fmt.Fprintf(&b, "CREATE TABLE %s (\n", quote(t.Name))
	for i := range len(t.Key) + len(t.Values) {
		c := t.Column(i)
		fmt.Fprintf(&b, "  %s %s NOT NULL,\n", quote(c.Name), kinds[c.Kind])
	}
	fmt.Fprintf(&b, "  PRIMARY KEY (%s)\n) STRICT, WITHOUT ROWID", names(t.Key))
	return b.String()
}

// scan is rows whose key starts with some columns, after some more.
func scan(t *projections.Table, prefix, after int) string {
	where := equal(t, prefix)
	if after > 0 {
		if where != "" {
			where += " AND "
		}
		where += fmt.Sprintf("(%s) > (?%s)", names(t.Key[prefix:prefix+after]), strings.Repeat(", ?", after-1))
	}
	if where != "" {
		where = " WHERE " + where
	}
	return "SELECT * FROM " + quote(t.Name) + where + " ORDER BY " + names(t.Key) + " LIMIT ?"
}

func drop(t *projections.Table, prefix int) string {
	if prefix == 0 {
		return "DELETE FROM " + quote(t.Name)
	}
	return "DELETE FROM " + quote(t.Name) + " WHERE " + equal(t, prefix)
}

func equal(t *projections.Table, n int) string {
	terms := make([]string, n)
	for i := range terms {
		terms[i] = quote(t.Key[i].Name) + " = ?"
	}
	return strings.Join(terms, " AND ")
}

func names(columns []projections.Column) string {
	out := make([]string, len(columns))
	for i, c := range columns {
		out[i] = quote(c.Name)
	}
	return strings.Join(out, ", ")
}

func quote(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }

// row copies what the driver gave; the values are the row's own.
func row(from []driver.Value, t *projections.Table) projections.Row {
	out := make(projections.Row, len(from))
	for i, v := range from {
		if b, ok := v.([]byte); v == nil || ok && b == nil { // how the driver gives empty bytes
			v = []byte{}
			if t.Column(i).Kind == projections.Text {
				out[i] = ""
				continue
			}
		}
		out[i] = v
	}
	return out
}
