package readmodel

import (
	"fmt"
	"slices"

	"github.com/cleversender/cleversender/projections"
)

// Ahead folds for a store that is far away: it learns which rows a fold reads
// by folding without them, asks for all of these at once, and folds again. A
// fold is pure, so nothing comes of what it made of rows that were missing.
type Ahead struct {
	Tables []*projections.Table
	// Many looks keys of one table up, as a Reader does.
	Many func(t *projections.Table, keys [][]any) ([]projections.Row, error)
	// Near knows a row, or that there is none (nil), without asking Many; nil: it knows none.
	Near func(t *projections.Table, key string) (row projections.Row, known bool)

	known map[*projections.Table]map[string]projections.Row
	asked map[*projections.Table]*asked
	alone bool // each row is asked for when it is read
}

type asked struct {
	keys    [][]any
	encoded []string
}

// passes is how often a fold may come to read rows that it did not read before.
const passes = 4

// Fold returns what the fold has changed.
func (a *Ahead) Fold(fold func(projections.Rows) error) (*Buffer, error) {
	a.known = map[*projections.Table]map[string]projections.Row{}
	for pass := 1; ; pass++ {
		a.asked, a.alone = map[*projections.Table]*asked{}, pass > passes
		b := NewBuffer(a.Tables, a.below)
		panicked, err := attempt(fold, b)
		if len(a.asked) == 0 {
			if panicked != nil {
				panic(panicked)
			}
			return b, err
		}
		if err := a.ask(); err != nil {
			return nil, err
		}
	}
}

// attempt folds; what a fold panics with comes back.
func attempt(fold func(projections.Rows) error, b *Buffer) (panicked any, err error) {
	defer func() { panicked = recover() }()
	return nil, fold(b)
}

func (a *Ahead) below(t *projections.Table, key []any, encoded string) (projections.Row, error) {
	if row, ok := a.known[t][encoded]; ok {
		return row, nil
	}
	if a.Near != nil {
		if row, ok := a.Near(t, encoded); ok {
			return row, nil
		}
	}
	if err := CheckKey(t, key); err != nil {
		return nil, err
	}
	if a.alone {
		rows, err := a.Many(t, [][]any{key})
		if err != nil {
			return nil, err
		}
		a.learn(t, []string{encoded}, rows)
		return rows[0], nil
	}
	to := a.asked[t]
	if to == nil {
		to = &asked{}
		a.asked[t] = to
	}
	to.keys, to.encoded = append(to.keys, slices.Clone(key)), append(to.encoded, encoded)
	return nil, nil
}

func (a *Ahead) ask() error {
	for t, asked := range a.asked {
		rows, err := a.Many(t, asked.keys)
		if err != nil {
			return fmt.Errorf("table %s: %w", t.Name, err)
		}
		a.learn(t, asked.encoded, rows)
	}
	return nil
}

func (a *Ahead) learn(t *projections.Table, encoded []string, rows []projections.Row) {
	known := a.known[t]
	if known == nil {
		known = make(map[string]projections.Row, len(rows))
		a.known[t] = known
	}
	for i, row := range rows {
		known[encoded[i]] = row
	}
}
