package postgres

import (
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/cleversender/cleversender/projections"
)

// kinds are the column types. Text is bytea too: PostgreSQL's text cannot hold
// a zero byte, and bytea sorts as strings do here, by bytes.
var kinds = map[projections.Kind]string{
	projections.Int: "bigint", projections.Text: "bytea", projections.Bytes: "bytea",
}

// maxName is the longest name that PostgreSQL does not cut.
const maxName = 63

// statements are the SQL of one table of one model.
type statements struct {
	table   *projections.Table
	name    string // quoted, with its schema
	columns string
	get     string
	getMany string // the number of the key, from 1, comes before the row
	put     string
}

// bare is the name of a model's table, without the schema.
func bare(id string, t *projections.Table) string { return id + "_" + t.Name }

func statementsOf(schema, id string, t *projections.Table) *statements {
	s := &statements{table: t, name: pgx.Identifier{schema, bare(id, t)}.Sanitize()}
	all := append(append([]projections.Column{}, t.Key...), t.Values...)
	s.columns = names("", all)
	s.get = "SELECT " + s.columns + " FROM " + s.name + where(t, len(t.Key), 0)
	on := make([]string, len(t.Key))
	for i, c := range t.Key {
		on[i] = fmt.Sprintf("t.%s = asked.%s", quote(c.Name), quote(c.Name))
	}
	s.getMany = fmt.Sprintf("SELECT asked.n, %s FROM %s WITH ORDINALITY AS asked(%s, n) JOIN %s AS t ON %s",
		names("t.", all), unnest(t.Key), names("", t.Key), s.name, strings.Join(on, " AND "))
	s.put = fmt.Sprintf("INSERT INTO %s (%s) SELECT * FROM %s ON CONFLICT (%s) DO %s",
		s.name, s.columns, unnest(all), names("", t.Key), update(t))
	return s
}

func (s *statements) width() int { return len(s.table.Key) + len(s.table.Values) }

func (s *statements) create() string {
	var b strings.Builder
	fmt.Fprintf(&b, "CREATE TABLE %s (\n", s.name)
	for i := range s.width() {
		c := s.table.Column(i)
		fmt.Fprintf(&b, "  %s %s NOT NULL,\n", quote(c.Name), kinds[c.Kind])
	}
	fmt.Fprintf(&b, "  PRIMARY KEY (%s)\n)", names("", s.table.Key))
	return b.String()
}

// scan is rows whose key starts with some columns, after some more.
func (s *statements) scan(prefix, after int) string {
	return "SELECT " + s.columns + " FROM " + s.name + where(s.table, prefix, after) +
		fmt.Sprintf(" ORDER BY %s LIMIT $%d", names("", s.table.Key), prefix+after+1)
}

func (s *statements) drop(prefix int) string {
	return "DELETE FROM " + s.name + where(s.table, prefix, 0)
}

func where(t *projections.Table, prefix, after int) string {
	var terms []string
	for i, c := range t.Key[:prefix] {
		terms = append(terms, fmt.Sprintf("%s = $%d", quote(c.Name), i+1))
	}
	if after > 0 {
		places := make([]string, after)
		for i := range places {
			places[i] = fmt.Sprintf("$%d", prefix+i+1)
		}
		terms = append(terms, fmt.Sprintf("(%s) > (%s)", names("", t.Key[prefix:prefix+after]), strings.Join(places, ", ")))
	}
	if len(terms) == 0 {
		return ""
	}
	return " WHERE " + strings.Join(terms, " AND ")
}

func unnest(columns []projections.Column) string {
	arrays := make([]string, len(columns))
	for i, c := range columns {
		arrays[i] = fmt.Sprintf("$%d::%s[]", i+1, kinds[c.Kind])
	}
	return "unnest(" + strings.Join(arrays, ", ") + ")"
}

func update(t *projections.Table) string {
	if len(t.Values) == 0 {
		return "NOTHING"
	}
	set := make([]string, len(t.Values))
	for i, c := range t.Values {
		set[i] = quote(c.Name) + " = excluded." + quote(c.Name)
	}
	return "UPDATE SET " + strings.Join(set, ", ")
}

func names(prefix string, columns []projections.Column) string {
	out := make([]string, len(columns))
	for i, c := range columns {
		out[i] = prefix + quote(c.Name)
	}
	return strings.Join(out, ", ")
}

func quote(name string) string { return pgx.Identifier{name}.Sanitize() }
