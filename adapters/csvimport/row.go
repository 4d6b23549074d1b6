package csvimport

import (
	"errors"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/cleversender/cleversender/domain"
	"github.com/cleversender/cleversender/domain/contactimport"
	"github.com/cleversender/cleversender/domain/personal"
)

// Lengths in octets, as the commands hold them; here they name the column.
const (
	maxName  = 200
	maxValue = 1000
)

// row is one contact as the file has it.
type row struct {
	line       int
	email      string
	normal     string // what tells people apart
	name       personal.Text
	attributes personal.Fields
	claimed    time.Time
}

// rows makes contacts of records.
type rows struct {
	columns columns
	address func(string) (plain, normal string, err error)
	clock   clock
	values  map[string]string
	ends    [MaxColumns]int
	fields  [MaxColumns]string
}

// read makes a contact of a record; ok is false when nothing stands in it.
// The error is of type *rejection.
func (rs *rows) read(rec Record) (r row, ok bool, err error) {
	n := min(len(rec.Fields), rs.columns.count)
	if !rs.take(rec, n) {
		return row{}, false, nil
	}
	r.line = rec.Line
	if r.email, r.normal, err = rs.address(rs.at(rs.columns.email, n)); err != nil {
		return row{}, false, reject(rec.Line, codeOf(err), TargetEmail)
	}
	if r.name, err = rs.fullName(rec.Line, n); err != nil {
		return row{}, false, err
	}
	if r.claimed, ok = rs.clock.parse(rs.at(rs.columns.claimed, n)); !ok {
		return row{}, false, reject(rec.Line, "bad_time", TargetConsentedAt)
	}
	clear(rs.values)
	for _, a := range rs.columns.attributes {
		value := rs.at(a.field, n)
		if value == "" {
			continue
		}
		if code := textFault(value, maxValue, true); code != "" {
			return row{}, false, reject(rec.Line, code, a.name)
		}
		rs.values[a.name] = value
	}
	r.attributes = personal.FieldsOf(rs.values)
	return r, true, nil
}

// take copies a record's fields out of the reader's buffer, in one piece;
// false when they are all empty.
func (rs *rows) take(rec Record, n int) bool {
	var b strings.Builder
	size := 0
	for _, f := range rec.Fields[:n] {
		size += len(f)
	}
	b.Grow(size)
	for i, f := range rec.Fields[:n] {
		b.Write(f)
		rs.ends[i] = b.Len()
	}
	all, start, some := b.String(), 0, false
	for i, end := range rs.ends[:n] {
		rs.fields[i] = strings.TrimSpace(all[start:end])
		some = some || rs.fields[i] != ""
		start = end
	}
	return some
}

func (rs *rows) at(field, n int) string {
	if field < 0 || field >= n {
		return ""
	}
	return rs.fields[field]
}

// fullName is the name, or else the first and the last name.
func (rs *rows) fullName(line, n int) (personal.Text, error) {
	name := rs.at(rs.columns.name, n)
	if name == "" {
		name = strings.TrimSpace(rs.at(rs.columns.first, n) + " " + rs.at(rs.columns.last, n))
	}
	if code := textFault(name, maxName, false); code != "" {
		return personal.Text{}, reject(line, code, TargetName)
	}
	return personal.Of(name), nil
}

// textFault says what is wrong with a value: a line break in a name could end
// a message's header; controls and replaced characters belong nowhere.
func textFault(s string, most int, lines bool) (code string) {
	if len(s) > most {
		return "text_too_long"
	}
	for _, r := range s {
		if lines && (r == '\n' || r == '\r' || r == '\t') {
			continue
		}
		if r < 0x20 || r >= 0x7f && r < 0xa0 || r == 0x2028 || r == 0x2029 || r == utf8.RuneError {
			return "bad_text"
		}
	}
	return ""
}

// rejection is a row that is left out.
type rejection struct{ contactimport.RejectedRow }

func (r *rejection) Error() string { return r.Code }

func reject(line int, code, column string) error {
	return &rejection{contactimport.RejectedRow{Line: line, Code: code, Column: column}}
}

func codeOf(err error) string {
	if refusal := (domain.Refusal{}); errors.As(err, &refusal) {
		return refusal.Code
	}
	return "fault"
}
