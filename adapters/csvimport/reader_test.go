package csvimport

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"
)

// readAll writes records as "line: a|b" and errors as "line! code".
func readAll(t testing.TB, r *Reader) (out []string) {
	t.Helper()
	for {
		rec, err := r.Read()
		var bad *RowError
		switch {
		case errors.Is(err, io.EOF):
			return out
		case errors.As(err, &bad):
			out = append(out, fmt.Sprintf("%d! %s", bad.Line, bad.Code))
		case err != nil:
			return append(out, err.Error())
		default:
			out = append(out, fmt.Sprintf("%d: %s", rec.Line, bytes.Join(rec.Fields, []byte("|"))))
		}
	}
}

// Records come out as RFC 4180 says, and a bad one costs itself alone.
func TestReader(t *testing.T) {
	wide := strings.Repeat(",", MaxColumns)
	for name, tt := range map[string]struct {
		in   string
		want []string
	}{
		"plain":                      {"a,b\n1,2\n3,4\n", []string{"1: a|b", "2: 1|2", "3: 3|4"}},
		"no line end at the end":     {"a,b\n1,2", []string{"1: a|b", "2: 1|2"}},
		"windows line ends":          {"a,b\r\n1,2\r\n\"3\",4\r\n", []string{"1: a|b", "2: 1|2", "3: 3|4"}},
		"line ends of an old Mac":    {"a,b\r1,2\r\"3\",4\r", []string{"1: a|b", "2: 1|2", "3: 3|4"}},
		"semicolons":                 {"a;b\n1,5;2\n", []string{"1: a|b", "2: 1,5|2"}},
		"tabs":                       {"a\tb\n1\t\t\n", []string{"1: a|b", "2: 1||"}},
		"a delimiter named":          {"sep=;\na;b\n", []string{"2: a|b"}},
		"delimiters in quotes":       {"\"a;;;\",b\n1,2\n", []string{"1: a;;;|b", "2: 1|2"}},
		"empty lines":                {"\n\na,b\n\n1,2\n\n", []string{"3: a|b", "5: 1|2"}},
		"quoted":                     {"a,b\n\"x, y\",\"say \"\"hi\"\" \"\"there\"\"\"\n", []string{"1: a|b", "2: x, y|say \"hi\" \"there\""}},
		"quoted and empty":           {"a,b\n\"\",\"\"\"\"\n", []string{"1: a|b", "2: |\""}},
		"quoted over lines":          {"a,b\n\"x\ny\",2\n3,4\n", []string{"1: a|b", "2: x\ny|2", "4: 3|4"}},
		"spaces around quotes":       {"a,b\n \"x, y\" ,2\n", []string{"1: a|b", "2: x, y|2"}},
		"a quote inside a field":     {"a,b\nJim \"Mac\" Roe,5\"\n", []string{"1: a|b", "2: Jim \"Mac\" Roe|5\""}},
		"a bare quote":               {"a,b\n\"Jim \"Mac\" Roe\",2\n3,4\n", []string{"1: a|b", "2! bare_quote", "3: 3|4"}},
		"never closed":               {"a,b\n1,\"x\n3,4\n5,6\n", []string{"1: a|b", "2! unclosed_quote", "3: 3|4", "4: 5|6"}},
		"closed by a later row":      {"a,b\n1,\"x\n3,4\n5,\"y\"\n7,8\n", []string{"1: a|b", "2! unclosed_quote", "3: 3|4", "4: 5|y", "5: 7|8"}},
		"closed at a later line":     {"a,b\n1,\"x\n3,4\n5,6\"\n", []string{"1: a|b", "2: 1|x\n3,4\n5,6"}},
		"swallowed a row":            {"a,b,c\n\"1,x,x\n\",3,4,5\n6,7,8\n", []string{"1: a|b|c", "2! unclosed_quote", "3! unclosed_quote", "4: 6|7|8"}},
		"never closed, at the end":   {"a,b\n1,\"x", []string{"1: a|b", "2! unclosed_quote"}},
		"fewer columns":              {"a,b\n1\n", []string{"1: a|b", "2: 1"}},
		"more columns":               {"a,b\n1,2,3\n1,2, ,\n", []string{"1: a|b", "2! too_many_columns", "3: 1|2| |"}},
		"far too many columns":       {"a\n" + wide + "\n\"x\"" + wide + "\nb\n", []string{"1: a", "2! too_many_columns", "3! too_many_columns", "4: b"}},
		"a NUL":                      {"a,b\n1,\x00\n\"\x00\",2\n3,4\n", []string{"1: a|b", "2! bad_encoding", "3! bad_encoding", "4: 3|4"}},
		"not UTF-8":                  {"a,b\n1,\xff\n3,4\n", []string{"1: a|b", "2! bad_encoding", "3: 3|4"}},
		"a line of 10 MB":            {"a,b\n" + strings.Repeat("x", 10<<20) + "\n3,4\n", []string{"1: a|b", "2! row_too_long", "3: 3|4"}},
		"a quoted line of 10 MB":     {"a,b\n\"" + strings.Repeat("x", 10<<20) + "\",\n3,4\n", []string{"1: a|b", "2! row_too_long", "3: 3|4"}},
		"never closed in a big file": {"a,b\n\"" + strings.Repeat(strings.Repeat("x", 60000)+"\n", 3), []string{"1: a|b", "2! unclosed_quote", "3: " + strings.Repeat("x", 60000), "4: " + strings.Repeat("x", 60000)}},
		"the last line of 10 MB":     {"a,b\n" + strings.Repeat("x", 10<<20), []string{"1: a|b", "2! row_too_long"}},
		"a record of just the size":  {"a,b\n1," + strings.Repeat("x", MaxRecord-3) + "\n", []string{"1: a|b", "2: 1|" + strings.Repeat("x", MaxRecord-3)}},
		"nothing":                    {"", nil},
	} {
		t.Run(name, func(t *testing.T) {
			for how, src := range map[string]io.Reader{
				"whole": strings.NewReader(tt.in), "by octets": iotest.OneByteReader(strings.NewReader(tt.in)),
			} {
				r := NewReader(src, 0)
				first, err := r.Read()
				got := []string(nil)
				if err == nil {
					r.Columns = len(first.Fields)
					got = append(got, fmt.Sprintf("%d: %s", first.Line, bytes.Join(first.Fields, []byte("|"))))
				}
				if diff := cmp.Diff(tt.want, append(got, readAll(t, r)...)); diff != "" {
					t.Errorf("%s: -want +got\n%.2000s", how, diff)
				}
			}
		})
	}
}

// A source that breaks is not the end of the file.
func TestReaderBrokenSource(t *testing.T) {
	broken := errors.New("connection reset")
	for _, text := range []string{"a,b\n1,2\n", "a,b\n1,2\n\"3"} {
		got := readAll(t, NewReader(io.MultiReader(strings.NewReader(text), iotest.ErrReader(broken)), 0))
		if diff := cmp.Diff([]string{"1: a|b", "2: 1|2", "connection reset"}, got); diff != "" {
			t.Errorf("-want +got\n%s", diff)
		}
	}
}

// Every line is accounted for in order, however the text comes in; and where
// the strict reader of the standard library finds no fault, we read the same.
func FuzzReader(f *testing.F) {
	for _, seed := range []string{"a,b\n1,\"x\ny\"\n", "a;b\r\n\"1\"\"\";2\r\n", "a\n\"", "\"a\"x,b\n", "a,b\n\"1\n2,3\n4,\"5\"\n", "a\rb\r"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		got := readAll(t, NewReader(bytes.NewReader(text), ','))
		slow := readAll(t, NewReader(iotest.HalfReader(bytes.NewReader(text)), ','))
		if diff := cmp.Diff(got, slow); diff != "" {
			t.Fatalf("%q: -at once +in pieces\n%s", text, diff)
		}
		last := 0
		for _, line := range got {
			var n int
			if _, err := fmt.Sscanf(line, "%d", &n); err != nil || n <= last {
				t.Fatalf("%q: line %q after line %d", text, line, last)
			}
			last = n
		}
		if bytes.HasPrefix(text, []byte("sep=")) || bytes.ContainsAny(text, "\r\x00 \t") || bytes.Contains(text, []byte("\xff")) {
			return // where we allow more than the standard library, or differ by intent
		}
		std := csv.NewReader(bytes.NewReader(text))
		std.FieldsPerRecord = -1
		rows, err := std.ReadAll()
		if err != nil || !bytes.Equal(bytes.ToValidUTF8(text, nil), text) {
			return
		}
		if len(rows) != len(got) {
			t.Fatalf("%q: %d records, the standard library reads %d: %q", text, len(got), len(rows), got)
		}
		for i, row := range rows {
			if _, mine, _ := strings.Cut(got[i], ": "); len(row) <= MaxColumns && mine != strings.Join(row, "|") {
				t.Fatalf("%q: %q, the standard library reads %q", text, mine, row)
			}
		}
	})
}

func BenchmarkReader(b *testing.B) {
	row := "ann.lee@mail.example.org,Ann,Lee,\"Oslo, Norway\",2024-05-01T12:00:00Z,gold\n"
	text := "email,first name,last name,city,consented_at,plan\n" + strings.Repeat(row, 10000)
	b.SetBytes(int64(len(row)))
	b.ReportAllocs()
	b.ResetTimer()
	for n := 0; n < b.N; {
		r := NewReader(strings.NewReader(text), 0)
		for n < b.N {
			if _, err := r.Read(); err != nil {
				break
			}
			n++
		}
	}
}
