// Package memory keeps read models in memory: for tests, and for what nobody
// needs to keep.
package memory

import (
	"context"
	"maps"
	"slices"
	"sort"
	"strings"
	"sync"

	"github.com/cleversender/cleversender/adapters/readmodel"
	"github.com/cleversender/cleversender/domain/event"
	"github.com/cleversender/cleversender/projections"
)

// Store implements readmodel.Store.
type Store struct {
	mu     sync.Mutex
	models map[string]*kept
}

// New makes an empty store.
func New() *Store { return &Store{models: map[string]*kept{}} }

// kept is a model, open or not.
type kept struct {
	mu     sync.RWMutex
	shape  string
	state  state
	poison []readmodel.Poison
}

// state is never changed once a snapshot may hold it.
type state struct {
	position event.Position
	tables   map[string]table
}

type table struct {
	keys []string // sorted
	rows map[string]projections.Row
}

// Open implements readmodel.Store.
func (s *Store) Open(_ context.Context, id string, tables []*projections.Table) (readmodel.Model, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	k := s.models[id]
	if k == nil {
		k = &kept{shape: readmodel.Shape(tables), state: state{tables: map[string]table{}}}
		s.models[id] = k
	}
	if k.shape != readmodel.Shape(tables) {
		return nil, readmodel.ErrShape
	}
	return &model{k, tables}, nil
}

// IDs implements readmodel.Store.
func (s *Store) IDs(context.Context) ([]string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Sorted(maps.Keys(s.models)), nil
}

// Replace implements readmodel.Store.
func (s *Store) Replace(_ context.Context, from, id string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if k := s.models[from]; k != nil {
		s.models[id] = k
		delete(s.models, from)
	}
	return nil
}

// Drop implements readmodel.Store.
func (s *Store) Drop(_ context.Context, id string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.models, id)
	return nil
}

type model struct {
	*kept
	tables []*projections.Table
}

func (m *model) Apply(ctx context.Context, b readmodel.Batch) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return err
	}
	if m.state.position != b.From {
		return readmodel.ErrMoved
	}
	next := state{b.Next, m.state.tables}
	if b.Fold != nil {
		var err error
		if next.tables, err = m.fold(b.Fold); err != nil {
			return err
		}
	}
	m.state = next
	m.poison = append(m.poison, b.Poison...)
	return nil
}

func (m *model) fold(fold func(projections.Rows) error) (map[string]table, error) {
	buffer := readmodel.NewBuffer(m.tables, func(t *projections.Table, _ []any, encoded string) (projections.Row, error) {
		return m.state.tables[t.Name].rows[encoded], nil
	})
	if err := fold(buffer); err != nil {
		return nil, err
	}
	tables := maps.Clone(m.state.tables)
	changed := map[string]bool{}
	own := func(name string) map[string]projections.Row {
		if !changed[name] {
			rows := maps.Clone(tables[name].rows)
			if rows == nil {
				rows = map[string]projections.Row{}
			}
			tables[name] = table{rows: rows}
			changed[name] = true
		}
		return tables[name].rows
	}
	err := buffer.Write(func(t *projections.Table, prefix projections.Row) error {
		p := string(readmodel.AppendKey(nil, prefix...))
		maps.DeleteFunc(own(t.Name), func(k string, _ projections.Row) bool { return strings.HasPrefix(k, p) })
		return nil
	}, func(t *projections.Table, key string, row projections.Row) error {
		own(t.Name)[key] = row
		return nil
	})
	for name := range changed {
		tables[name] = table{slices.Sorted(maps.Keys(tables[name].rows)), tables[name].rows}
	}
	return tables, err
}

func (m *model) now() state {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return m.state
}

func (m *model) Position(ctx context.Context) (event.Position, error) { return m.now().Position(ctx) }

func (m *model) Get(ctx context.Context, t *projections.Table, key ...any) (projections.Row, error) {
	return m.now().Get(ctx, t, key...)
}

func (m *model) GetMany(ctx context.Context, t *projections.Table, keys [][]any) ([]projections.Row, error) {
	return m.now().GetMany(ctx, t, keys)
}

func (m *model) Scan(ctx context.Context, t *projections.Table, prefix, after []any, limit int) ([]projections.Row, error) {
	return m.now().Scan(ctx, t, prefix, after, limit)
}

func (m *model) Snapshot(context.Context) (readmodel.Snapshot, error) { return m.now(), nil }

func (m *model) Poison(_ context.Context, limit int) ([]readmodel.Poison, error) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return slices.Clone(m.poison[:min(limit, len(m.poison))]), nil
}

func (m *model) Purge(context.Context) error { return nil }
func (m *model) Close() error                { return nil }

// Position implements readmodel.Snapshot.
func (s state) Position(ctx context.Context) (event.Position, error) { return s.position, ctx.Err() }

// Close implements readmodel.Snapshot.
func (s state) Close() error { return nil }

// Get implements projections.Reader.
func (s state) Get(ctx context.Context, t *projections.Table, key ...any) (projections.Row, error) {
	if err := readmodel.CheckKey(t, key); err != nil {
		return nil, err
	}
	return s.tables[t.Name].rows[string(readmodel.AppendKey(nil, key...))], ctx.Err()
}

// GetMany implements projections.Reader.
func (s state) GetMany(ctx context.Context, t *projections.Table, keys [][]any) ([]projections.Row, error) {
	rows := make([]projections.Row, len(keys))
	for i, key := range keys {
		var err error
		if rows[i], err = s.Get(ctx, t, key...); err != nil {
			return nil, err
		}
	}
	return rows, nil
}

// Scan implements projections.Reader.
func (s state) Scan(ctx context.Context, t *projections.Table, prefix, after []any, limit int) ([]projections.Row, error) {
	whole := append(slices.Clone(prefix), after...)
	if err := readmodel.Check(t, whole, false); err != nil {
		return nil, err
	}
	keys := s.tables[t.Name].keys
	p := string(readmodel.AppendKey(nil, prefix...))
	start, _ := slices.BinarySearch(keys, p)
	if len(after) > 0 {
		past := string(readmodel.AppendKey(nil, whole...))
		start = sort.Search(len(keys), func(i int) bool { return keys[i] > past && !strings.HasPrefix(keys[i], past) })
	}
	var rows []projections.Row
	for _, k := range keys[start:] {
		if len(rows) == limit || !strings.HasPrefix(k, p) {
			break
		}
		rows = append(rows, s.tables[t.Name].rows[k])
	}
	return rows, ctx.Err()
}
