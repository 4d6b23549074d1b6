// Package projections turns the log into answers: each folder one question.
//
// A projection folds pages of events into rows. The fold is pure: the same
// events give the same rows, whenever and on whatever store they are rebuilt.
// Rows hold personal values sealed, as the events do; nothing here can read
// them, so a destroyed key reaches every read model and every backup of one.
package projections

import (
	"context"
	"strconv"

	"github.com/cleversender/cleversender/domain/event"
)

// Kind is what a column holds.
type Kind int

const (
	Int   Kind = iota // int64
	Text              // string
	Bytes             // []byte
)

// Column is one value of a row.
type Column struct {
	Name string
	Kind Kind
}

// Table is rows found by key, or by the first columns of it: every question is
// a look-up or a scan of a key prefix, in key order, on any store.
type Table struct {
	Name   string
	Key    []Column
	Values []Column
}

// Column is the i-th column of a row.
func (t *Table) Column(i int) Column {
	if i < len(t.Key) {
		return t.Key[i]
	}
	return t.Values[i-len(t.Key)]
}

// Row is a table's key columns and then its values: int64, string or []byte,
// never nil.
type Row []any

// Rows is the tables of one projection inside one transaction. It sees its own
// writes. Rows and the bytes in them are not changed once given or received.
type Rows interface {
	Get(t *Table, key ...any) (Row, error) // nil when there is none
	Put(t *Table, row Row) error
	Delete(t *Table, prefix ...any) error // every row whose key starts so
}

// Reader is the tables of one projection, as last committed.
type Reader interface {
	Get(ctx context.Context, t *Table, key ...any) (Row, error) // nil when there is none
	// GetMany is Get of each key, for less than a Get each costs.
	GetMany(ctx context.Context, t *Table, keys [][]any) ([]Row, error)
	// Scan returns rows whose key starts with prefix, in key order, after the
	// key columns that follow the prefix in after (nil: from the start).
	Scan(ctx context.Context, t *Table, prefix, after []any, limit int) ([]Row, error)
}

// Projection answers one question.
type Projection struct {
	Name    string   // snake_case
	Version int      // a new one is built beside the old one, then readers switch
	Types   []string // stored names of the events it folds; nil: all
	// Data lists the types whose data the fold looks at; nil: all that it folds.
	// The others come without Data, so that it can take those of a newer
	// version of the software too.
	Data   []string
	Tables []*Table
	// Fold applies a page. It holds no state between pages but in rows, and
	// skips nothing silently: an error undoes the page.
	Fold func(rows Rows, page []event.Recorded) error
}

// ID is the name with the version in it.
func (p Projection) ID() string { return p.Name + "_v" + strconv.Itoa(p.Version) }
