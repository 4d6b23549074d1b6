package readmodel

import (
	"context"
	"errors"

	"github.com/cleversender/cleversender/projections"
)

// errClosed: the host has closed its models.
var errClosed = errors.New("the read models are closed")

// Reader answers from a projection by name, whichever model serves.
func (h *Host) Reader(name string) projections.Reader {
	s, err := h.find(name)
	return served{s, err}
}

type served struct {
	s   *hosted
	err error
}

// Get implements projections.Reader.
func (r served) Get(ctx context.Context, t *projections.Table, key ...any) (row projections.Row, err error) {
	err = r.with(func(m Model) error {
		row, err = m.Get(ctx, t, key...)
		return err
	})
	return row, err
}

// GetMany implements projections.Reader.
func (r served) GetMany(ctx context.Context, t *projections.Table, keys [][]any) (rows []projections.Row, err error) {
	err = r.with(func(m Model) error {
		rows, err = m.GetMany(ctx, t, keys)
		return err
	})
	return rows, err
}

// Scan implements projections.Reader.
func (r served) Scan(ctx context.Context, t *projections.Table, prefix, after []any, limit int) (rows []projections.Row, err error) {
	err = r.with(func(m Model) error {
		rows, err = m.Scan(ctx, t, prefix, after, limit)
		return err
	})
	return rows, err
}

func (r served) with(f func(Model) error) error {
	if r.err != nil {
		return r.err
	}
	r.s.serving.RLock()
	defer r.s.serving.RUnlock()
	if r.s.serves == nil {
		return errClosed
	}
	return f(r.s.serves)
}
