package readmodel

import (
	"maps"
	"slices"
	"strings"

	"github.com/cleversender/cleversender/projections"
)

// Buffer is projections.Rows for one batch: it reads each row from below once,
// and keeps what changes until the end, when a store writes it in key order.
type Buffer struct {
	below   Below
	tables  map[*projections.Table]*bufferTable
	order   []*bufferTable
	last    *bufferTable
	scratch []byte
}

type bufferTable struct {
	table   *projections.Table
	rows    map[string]bufferRow
	dropped []string // prefixes of keys; all rows below that start so are gone
	drops   []projections.Row
}

type bufferRow struct {
	row   projections.Row // nil: there is none
	dirty bool
}

// Below reads a row as committed, nil when there is none; encoded is AppendKey of the key.
type Below func(t *projections.Table, key []any, encoded string) (projections.Row, error)

// NewBuffer makes a buffer over tables.
func NewBuffer(tables []*projections.Table, below Below) *Buffer {
	b := &Buffer{below: below, tables: make(map[*projections.Table]*bufferTable, len(tables))}
	for _, t := range tables {
		bt := &bufferTable{table: t, rows: map[string]bufferRow{}}
		b.tables[t] = bt
		b.order = append(b.order, bt)
	}
	return b
}

func (b *Buffer) of(t *projections.Table) *bufferTable {
	if b.last == nil || b.last.table != t {
		b.last = b.tables[t]
	}
	return b.last
}

// Get implements projections.Rows.
func (b *Buffer) Get(t *projections.Table, key ...any) (projections.Row, error) {
	if err := Check(t, key, false); err != nil {
		return nil, err
	}
	bt := b.of(t)
	b.scratch = AppendKey(b.scratch[:0], key...)
	if r, ok := bt.rows[string(b.scratch)]; ok {
		return r.row, nil
	}
	k := string(b.scratch)
	var row projections.Row
	if !bt.isDropped(k) {
		var err error
		if row, err = b.below(t, key, k); err != nil {
			return nil, err
		}
	}
	bt.rows[k] = bufferRow{row, false}
	return row, nil
}

func (bt *bufferTable) isDropped(key string) bool {
	for _, p := range bt.dropped {
		if strings.HasPrefix(key, p) {
			return true
		}
	}
	return false
}

// Put implements projections.Rows.
func (b *Buffer) Put(t *projections.Table, row projections.Row) error {
	if err := Check(t, row, true); err != nil {
		return err
	}
	bt := b.of(t)
	b.scratch = AppendKey(b.scratch[:0], row[:len(t.Key)]...)
	bt.rows[string(b.scratch)] = bufferRow{row, true}
	return nil
}

// Delete implements projections.Rows.
func (b *Buffer) Delete(t *projections.Table, prefix ...any) error {
	if err := Check(t, prefix, false); err != nil {
		return err
	}
	bt := b.of(t)
	p := string(AppendKey(nil, prefix...))
	if len(prefix) == len(t.Key) {
		bt.rows[p] = bufferRow{nil, true}
		bt.drops = append(bt.drops, slices.Clone(prefix))
		return nil
	}
	for k := range bt.rows {
		if strings.HasPrefix(k, p) {
			delete(bt.rows, k)
		}
	}
	bt.dropped = append(bt.dropped, p)
	bt.drops = append(bt.drops, slices.Clone(prefix))
	return nil
}

// Drops reports that something is to be deleted.
func (b *Buffer) Drops() bool {
	return slices.ContainsFunc(b.order, func(bt *bufferTable) bool { return len(bt.drops) > 0 })
}

// Write gives a store what has changed: first what to delete, by prefix of the
// key, then the rows to insert or replace, table by table in key order.
func (b *Buffer) Write(drop func(t *projections.Table, prefix projections.Row) error,
	put func(t *projections.Table, key string, row projections.Row) error,
) error {
	for _, bt := range b.order {
		for _, prefix := range bt.drops {
			if err := drop(bt.table, prefix); err != nil {
				return err
			}
		}
		for _, k := range slices.Sorted(maps.Keys(bt.rows)) {
			if r := bt.rows[k]; r.dirty && r.row != nil {
				if err := put(bt.table, k, r.row); err != nil {
					return err
				}
			}
		}
	}
	return nil
}
