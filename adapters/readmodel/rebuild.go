package readmodel

import (
	"context"
	"errors"
	"fmt"

	"github.com/cleversender/cleversender/domain/event"
)

// Rebuild folds a projection anew from the first event, beside the one that
// serves, then switches to it. progress may be nil; it is called by one goroutine.
func (h *Host) Rebuild(ctx context.Context, name string, progress func(done, head event.Position)) error {
	s, err := h.find(name)
	if err != nil {
		return err
	}
	return h.rebuild(ctx, []*hosted{s}, progress)
}

// RebuildAll rebuilds every projection in one reading of the log.
func (h *Host) RebuildAll(ctx context.Context, progress func(done, head event.Position)) error {
	return h.rebuild(ctx, h.hosted, progress)
}

func (h *Host) rebuild(ctx context.Context, all []*hosted, progress func(done, head event.Position)) error {
	h.admin.Lock()
	defer h.admin.Unlock()
	head, err := h.Source.Head(ctx)
	if err != nil {
		return err
	}
	builds, discard, err := h.scratch(ctx, all, rebuildSuffix)
	defer func() { _ = discard() }()
	if err != nil {
		return err
	}
	for _, b := range builds {
		b.upTo = head
	}
	if err := run(ctx, h.Source, builds, progress); err != nil {
		return err
	}
	for i, s := range all {
		if err := s.replace(ctx, h.Source, builds[i]); err != nil {
			return fmt.Errorf("projection %s: %w", s.p.ID(), err)
		}
	}
	return nil
}

// scratch opens an empty model for each; discard closes and drops what is left of them.
func (h *Host) scratch(ctx context.Context, all []*hosted, suffix string) (builds []*build, discard func() error, err error) {
	discard = func() (err error) {
		for _, b := range builds {
			if b.model != nil {
				err = errors.Join(err, b.model.Close(), h.Store.Drop(context.WithoutCancel(ctx), b.p.ID()+suffix))
			}
		}
		return err
	}
	open := h.Store.Open
	if b, ok := h.Store.(Builder); ok {
		open = b.Build
	}
	for _, s := range all {
		id := s.p.ID() + suffix
		if err := h.Store.Drop(ctx, id); err != nil {
			return nil, discard, err
		}
		m, err := open(ctx, id, s.p.Tables)
		if err != nil {
			return nil, discard, err
		}
		builds = append(builds, &build{p: s.p, model: m})
		if h.shared != nil { // nobody else takes it for what a crash left behind
			if _, err := h.shared.Hold(ctx, []string{id}, Take); err != nil {
				return builds, discard, err
			}
		}
	}
	return builds, discard, nil
}

// replace puts a rebuilt model in the place of the one that serves. It brings
// it up to where the live one is first; that waits meanwhile. A shared model is
// folded by this node from then on.
func (s *hosted) replace(ctx context.Context, source Source, b *build) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.takeTurn(ctx); err != nil {
		return err
	}
	if b.at < s.seen {
		b.upTo = s.seen
		if err := run(ctx, source, []*build{b}, nil); err != nil {
			return err
		}
	}
	s.serving.Lock()
	defer s.serving.Unlock()
	if s.model == nil {
		return errClosed
	}
	ctx = context.WithoutCancel(ctx) // from here on it is all or nothing
	scratch := b.model
	b.model = nil
	err := scratch.Close()
	if s.old != "" {
		err = errors.Join(err, s.serves.Close())
	}
	if err = errors.Join(err, s.model.Close()); err == nil {
		err = s.store.Replace(ctx, s.p.ID()+rebuildSuffix, s.p.ID())
	}
	if open := s.use(ctx); open != nil {
		s.model, s.serves = nil, nil
		s.stop(open)
		return errors.Join(err, open)
	}
	s.serves, s.old = s.model, ""
	s.reached.set(s.seen, true)
	return err
}
