package commands_test

import (
	"testing"

	. "github.com/cleversender/cleversender/commands"
	"github.com/cleversender/cleversender/domain"
	"github.com/cleversender/cleversender/domain/consent"
	"github.com/cleversender/cleversender/domain/contactimport"
)

var (
	counts   = contactimport.Counts{Added: 90, Updated: 5, Unchanged: 3, Suppressed: 1, Rejected: 1}
	badRows  = []contactimport.RejectedRow{{Line: 3, Code: "bad_address", Column: "email"}, {Line: 3, Code: "bad_text"}, {Line: 9, Code: "bad_row"}}
	begun    = contactimport.Started{List: one, Purposes: both, Source: "fair 2030"}
	rejected = contactimport.RowsRejected{Rows: badRows}
	progress = contactimport.Progressed{Line: 50, Bytes: 4000, SHA256: digest, Counts: counts}
	readAll  = contactimport.Finished{Line: 101, Bytes: 9000, SHA256: digest, Counts: counts}
	broke    = contactimport.Failed{Line: 70, Code: "line_too_long", Counts: counts}

	begin      = StartImport{Import: three, List: one, Purposes: both, Source: "fair 2030"}
	reject     = RejectRows{three, badRows}
	advance    = ProgressImport{Import: three, Line: 50, Bytes: 4000, SHA256: digest, Counts: counts}
	finishFile = FinishImport{Import: three, Line: 101, Bytes: 9000, SHA256: digest, Counts: counts}
	fail       = FailImport{Import: three, Line: 70, Code: "line_too_long", Counts: counts}
)

func TestStartImport(t *testing.T) {
	with := func(change func(*StartImport)) StartImport { c := begin; change(&c); return c }
	check(t, []importRow{
		{name: "begins", when: begin, then: importPast{begun}},
		{name: "asked twice", given: importPast{begun}, when: begin},
		{name: "asked again at the end", given: importPast{begun, progress, readAll}, when: begin},
		{name: "into another list", given: importPast{begun}, when: with(func(c *StartImport) { c.List = two }), refused: "already_exists"},
		{name: "claiming less", given: importPast{begun}, when: with(func(c *StartImport) { c.Purposes = nil }), refused: "already_exists"},
		{name: "no list", when: with(func(c *StartImport) { c.List = domain.ID{} }), refused: "list_required"},
		{name: "unknown purpose", when: with(func(c *StartImport) { c.Purposes = []consent.Purpose{"fun"} }), refused: "unknown_purpose"},
		{name: "a purpose twice", when: with(func(c *StartImport) { c.Purposes = append(both[:2:2], both[0]) }), refused: "unknown_purpose"},
		{name: "bad source", when: with(func(c *StartImport) { c.Source = "a\x00" }), refused: "bad_text"},
		{name: "long source", when: with(func(c *StartImport) { c.Source = long }), refused: "text_too_long"},
	})
}

func TestRejectRows(t *testing.T) {
	of := func(rows ...contactimport.RejectedRow) RejectRows { return RejectRows{three, rows} }
	later := contactimport.RejectedRow{Line: 12, Code: "bad_row"}
	check(t, []importRow{
		{name: "notes the rows", given: importPast{begun}, when: reject, then: importPast{rejected}},
		{name: "asked twice", given: importPast{begun, rejected}, when: reject},
		{name: "asked again at the end", given: importPast{begun, rejected, readAll}, when: reject},
		{name: "notes what is new", given: importPast{begun, rejected}, when: of(badRows[2], later), then: importPast{contactimport.RowsRejected{Rows: []contactimport.RejectedRow{later}}}},
		{name: "none", given: importPast{begun}, when: of()},
		{name: "no such import", when: reject, refused: "not_found"},
		{name: "after the end", given: importPast{begun, readAll}, when: reject, refused: "import_over"},
		{name: "backwards", given: importPast{begun}, when: of(badRows[2], badRows[0]), refused: "rows_out_of_order"},
		{name: "no line", given: importPast{begun}, when: of(contactimport.RejectedRow{Code: "x"}), refused: "rows_out_of_order"},
		{name: "no code", given: importPast{begun}, when: of(contactimport.RejectedRow{Line: 1}), refused: "text_missing"},
		{name: "bad column", given: importPast{begun}, when: of(contactimport.RejectedRow{Line: 1, Code: "x", Column: "a\nb"}), refused: "bad_text"},
		{name: "too many", given: importPast{begun}, when: RejectRows{three, make([]contactimport.RejectedRow, 5001)}, refused: "too_many_rows"},
	})
}

func TestProgressImport(t *testing.T) {
	with := func(change func(*ProgressImport)) ProgressImport { c := advance; change(&c); return c }
	check(t, []importRow{
		{name: "comes further", given: importPast{begun}, when: advance, then: importPast{progress}},
		{name: "asked twice", given: importPast{begun, progress}, when: advance},
		{name: "lies behind", given: importPast{begun, progress}, when: with(func(c *ProgressImport) { c.Line = 49 })},
		{name: "lies behind the end", given: importPast{begun, readAll}, when: advance},
		{name: "no such import", when: advance, refused: "not_found"},
		{name: "after the end", given: importPast{begun, readAll}, when: with(func(c *ProgressImport) { c.Line = 200 }), refused: "import_over"},
		{name: "no digest", given: importPast{begun}, when: with(func(c *ProgressImport) { c.SHA256 = "" }), refused: "bad_digest"},
		{name: "a negative line", given: importPast{begun}, when: with(func(c *ProgressImport) { c.Line = -1 }), refused: "bad_number"},
		{name: "a negative size", given: importPast{begun}, when: with(func(c *ProgressImport) { c.Bytes = -1 }), refused: "bad_number"},
		{name: "a negative count", given: importPast{begun}, when: with(func(c *ProgressImport) { c.Counts.Updated = -1 }), refused: "bad_number"},
	})
}

func TestFinishImport(t *testing.T) {
	with := func(change func(*FinishImport)) FinishImport { c := finishFile; change(&c); return c }
	check(t, []importRow{
		{name: "ends", given: importPast{begun, progress}, when: finishFile, then: importPast{readAll}},
		{name: "asked twice", given: importPast{begun, progress, readAll}, when: finishFile},
		{name: "an empty file", given: importPast{begun}, when: FinishImport{Import: three, SHA256: digest}, then: importPast{contactimport.Finished{SHA256: digest}}},
		{name: "with another result", given: importPast{begun, readAll}, when: with(func(c *FinishImport) { c.Line = 102 }), refused: "import_over"},
		{name: "after it failed", given: importPast{begun, broke}, when: finishFile, refused: "import_over"},
		{name: "no such import", when: finishFile, refused: "not_found"},
		{name: "backwards", given: importPast{begun, progress}, when: with(func(c *FinishImport) { c.Line = 49 }), refused: "rows_out_of_order"},
		{name: "a negative count", given: importPast{begun}, when: with(func(c *FinishImport) { c.Counts.Added = -1 }), refused: "bad_number"},
		{name: "no digest", given: importPast{begun}, when: with(func(c *FinishImport) { c.SHA256 = "x" }), refused: "bad_digest"},
	})
}

func TestFailImport(t *testing.T) {
	with := func(change func(*FailImport)) FailImport { c := fail; change(&c); return c }
	check(t, []importRow{
		{name: "says where and why", given: importPast{begun, progress}, when: fail, then: importPast{broke}},
		{name: "asked twice", given: importPast{begun, progress, broke}, when: fail},
		{name: "after the end", given: importPast{begun, readAll}, when: fail, refused: "import_over"},
		{name: "for another reason", given: importPast{begun, broke}, when: with(func(c *FailImport) { c.Code = "x" }), refused: "import_over"},
		{name: "no such import", when: fail, refused: "not_found"},
		{name: "backwards", given: importPast{begun, progress}, when: with(func(c *FailImport) { c.Line = 1 }), refused: "rows_out_of_order"},
		{name: "no code", given: importPast{begun}, when: with(func(c *FailImport) { c.Code = "" }), refused: "text_missing"},
		{name: "a negative count", given: importPast{begun}, when: with(func(c *FailImport) { c.Counts.Rejected = -1 }), refused: "bad_number"},
	})
}
