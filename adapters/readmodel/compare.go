package readmodel

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"

	"github.com/cleversender/cleversender/domain/event"
	"github.com/cleversender/cleversender/projections"
)

// Comparison says whether rebuilt equals live.
type Comparison struct {
	Name     string         `json:"name"`
	Position event.Position `json:"position"` // as of which both were compared
	Rows     int            `json:"rows"`
	Live     string         `json:"live"` // SHA-256 over every row of every table, in key order, hex
	Rebuilt  string         `json:"rebuilt"`
}

// Equal reports that no byte differs.
func (c Comparison) Equal() bool { return c.Live == c.Rebuilt }

// Compare folds projections anew into scratch models, up to where the live
// ones are now, and compares every row. No names: all of them. The live ones go on.
func (h *Host) Compare(ctx context.Context, progress func(done, head event.Position), names ...string) (_ []Comparison, err error) {
	h.admin.Lock()
	defer h.admin.Unlock()
	all := h.hosted
	if len(names) > 0 {
		all = nil
		for _, name := range names {
			s, err := h.find(name)
			if err != nil {
				return nil, err
			}
			all = append(all, s)
		}
	}
	builds, discard, err := h.scratch(ctx, all, compareSuffix)
	defer func() { err = errors.Join(err, discard()) }()
	if err != nil {
		return nil, err
	}
	live := make([]Snapshot, len(all))
	defer func() {
		for _, snapshot := range live {
			if snapshot != nil {
				err = errors.Join(err, snapshot.Close())
			}
		}
	}()
	for i, s := range all {
		if live[i], builds[i].upTo, err = s.snapshot(ctx); err != nil {
			return nil, err
		}
	}
	if err := run(ctx, h.Source, builds, progress); err != nil {
		return nil, err
	}
	out := make([]Comparison, len(all))
	for i, s := range all {
		if out[i], err = compare(ctx, s.p, live[i], builds[i]); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func (s *hosted) snapshot(ctx context.Context) (Snapshot, event.Position, error) {
	s.serving.RLock()
	defer s.serving.RUnlock()
	if s.model == nil {
		return nil, 0, errClosed
	}
	snapshot, err := s.model.Snapshot(ctx)
	if err != nil {
		return nil, 0, err
	}
	at, err := snapshot.Position(ctx)
	return snapshot, at, err
}

func compare(ctx context.Context, p projections.Projection, live projections.Reader, b *build) (Comparison, error) {
	c := Comparison{Name: p.Name, Position: b.upTo}
	var err error
	if c.Live, c.Rows, err = Digest(ctx, live, p.Tables); err != nil {
		return c, err
	}
	c.Rebuilt, _, err = Digest(ctx, b.model, p.Tables)
	return c, err
}

// Digest is the SHA-256 over every row of tables, in key order, hex, and how
// many rows there are.
func Digest(ctx context.Context, r projections.Reader, tables []*projections.Table) (digest string, rows int, err error) {
	const page = 1000
	sum := sha256.New()
	var b []byte
	for _, t := range tables {
		sum.Write([]byte(t.Name + "\x00"))
		var after []any
		for {
			got, err := r.Scan(ctx, t, nil, after, page)
			if err != nil {
				return "", 0, err
			}
			for _, row := range got {
				b = AppendKey(b[:0], row...)
				sum.Write(b)
				after = row[:len(t.Key)]
			}
			if rows += len(got); len(got) < page {
				break
			}
		}
	}
	return hex.EncodeToString(sum.Sum(nil)), rows, nil
}
