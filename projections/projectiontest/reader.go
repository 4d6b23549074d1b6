package projectiontest

import (
	"bytes"
	"context"
	"slices"
	"strings"

	"github.com/cleversender/cleversender/domain/event"
	"github.com/cleversender/cleversender/projections"
)

// Tables is the rows of one projection, as plainly as can be: every look-up
// walks through all of them.
type Tables map[*projections.Table][]projections.Row

// Fold gives a projection its events, a page each, and returns the rows.
func Fold(p projections.Projection, pages ...[]event.Recorded) (Tables, error) {
	rows := Tables{}
	for _, page := range pages {
		var own []event.Recorded
		for _, e := range page {
			if p.Types == nil || slices.Contains(p.Types, e.Type) {
				own = append(own, e)
			}
		}
		if err := p.Fold(writer{rows}, own); err != nil {
			return nil, err
		}
	}
	return rows, nil
}

// Get implements projections.Reader.
func (t Tables) Get(_ context.Context, table *projections.Table, key ...any) (projections.Row, error) {
	for _, row := range t[table] {
		if compare(row[:len(table.Key)], key) == 0 {
			return row, nil
		}
	}
	return nil, nil
}

// GetMany implements projections.Reader.
func (t Tables) GetMany(ctx context.Context, table *projections.Table, keys [][]any) (rows []projections.Row, err error) {
	rows = make([]projections.Row, len(keys))
	for i, key := range keys {
		if rows[i], err = t.Get(ctx, table, key...); err != nil {
			return nil, err
		}
	}
	return rows, nil
}

// Scan implements projections.Reader.
func (t Tables) Scan(_ context.Context, table *projections.Table, prefix, after []any, limit int) (rows []projections.Row, _ error) {
	for _, row := range t[table] {
		rest := row[len(prefix):]
		if compare(row[:len(prefix)], prefix) == 0 && compare(rest[:len(after)], after) >= min(1, len(after)) && len(rows) < limit {
			rows = append(rows, row)
		}
	}
	return rows, nil
}

type writer struct{ tables Tables }

func (w writer) Get(table *projections.Table, key ...any) (projections.Row, error) {
	return w.tables.Get(context.Background(), table, key...)
}

func (w writer) Put(table *projections.Table, row projections.Row) error {
	rows := slices.DeleteFunc(w.tables[table], func(r projections.Row) bool {
		return compare(r[:len(table.Key)], row[:len(table.Key)]) == 0
	})
	w.tables[table] = append(rows, row)
	slices.SortFunc(w.tables[table], func(a, b projections.Row) int { return compare(a[:len(table.Key)], b[:len(table.Key)]) })
	return nil
}

func (w writer) Delete(table *projections.Table, prefix ...any) error {
	w.tables[table] = slices.DeleteFunc(w.tables[table], func(r projections.Row) bool {
		return compare(r[:len(prefix)], prefix) == 0
	})
	return nil
}

func compare(a, b []any) int {
	for i := range a {
		var c int
		switch a := a[i].(type) {
		case int64:
			c = int(min(1, max(-1, a-b[i].(int64))))
		case string:
			c = strings.Compare(a, b[i].(string))
		case []byte:
			c = bytes.Compare(a, b[i].([]byte))
		}
		if c != 0 {
			return c
		}
	}
	return 0
}
