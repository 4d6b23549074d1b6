package contactimport

import (
	"github.com/cleversender/cleversender/domain"
	"github.com/cleversender/cleversender/domain/consent"
	"github.com/cleversender/cleversender/domain/event"
)

// Event is anything that happens to an import.
//
//sumtype:decl
type Event interface{ isImportEvent() }

// Started: rows begin to arrive.
type Started struct {
	List     domain.ID         `json:"list"`
	Purposes []consent.Purpose `json:"purposes"` // what the account asserts that everyone in the file agreed to
	Source   string            `json:"source"`   // where the account says the file is from
}

// RowsRejected: these rows were left out; the rest went on. No value is kept.
type RowsRejected struct {
	Rows []RejectedRow `json:"rows"`
}

// RejectedRow says where and why.
type RejectedRow struct {
	Line   int    `json:"line"` // of the file, from 1
	Code   string `json:"code"` // stable, snake_case
	Column string `json:"column"`
}

// Progressed: everything up to the line is in the log. The digest is of the
// file so far, so that rows of an import that never ended can be shown too.
type Progressed struct {
	Line   int    `json:"line"`
	Bytes  int64  `json:"bytes"`
	SHA256 string `json:"sha256"` // of the bytes as received, hex
	Counts Counts `json:"counts"`
}

// Finished: the whole file was read.
type Finished struct {
	Line   int    `json:"line"`
	Bytes  int64  `json:"bytes"`
	SHA256 string `json:"sha256"`
	Counts Counts `json:"counts"`
}

// Failed: the file could not be read on from here; what came before stays.
type Failed struct {
	Line   int    `json:"line"`
	Code   string `json:"code"`
	Counts Counts `json:"counts"`
}

// Counts adds up to the rows read, duplicates within the file included in
// Unchanged. HeldBack is some of those rows once more.
type Counts struct {
	Added      int `json:"added"`      // people the account did not hold
	Updated    int `json:"updated"`    // people held, with something new
	Unchanged  int `json:"unchanged"`  // people held, nothing new
	Suppressed int `json:"suppressed"` // erased earlier: left out
	Rejected   int `json:"rejected"`   // bad rows
	HeldBack   int `json:"held_back"`  // of people held who get no mail from the list whatever the file says
}

func (Started) isImportEvent()      {}
func (RowsRejected) isImportEvent() {}
func (Progressed) isImportEvent()   {}
func (Finished) isImportEvent()     {}
func (Failed) isImportEvent()       {}

// Events is the wire contract of this package.
var Events = []event.Type{
	event.Define[Started]("import.started"),
	event.Define[RowsRejected]("import.rows_rejected"),
	event.Define[Progressed]("import.progressed", noneHeldBack),
	event.Define[Finished]("import.finished", noneHeldBack),
	event.Define[Failed]("import.failed", noneHeldBack),
}

// noneHeldBack: before version 2 nobody was held back.
func noneHeldBack(fields map[string]any) {
	if counts, ok := fields["counts"].(map[string]any); ok {
		counts["held_back"] = 0
	}
}
