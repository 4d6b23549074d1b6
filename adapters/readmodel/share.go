package readmodel

import (
	"context"
	"maps"
	"time"

	"github.com/cleversender/cleversender/domain/event"
)

const (
	// shareEvery is how often a host looks how shared models are, and
	// shareSoon while somebody waits for one that another node folds.
	shareEvery = time.Second
	shareSoon  = 20 * time.Millisecond
	// peekTime bounds a look into the log.
	peekTime = 100 * time.Millisecond
)

// sweepAfter is how long the other nodes have to switch to a new version
// before the old one goes.
var sweepAfter = 10 * time.Second

// hold is a node's turn to fold a model.
type hold struct {
	ctx context.Context // ends with it
	end context.CancelFunc
}

func newHold() *hold {
	ctx, end := context.WithCancel(context.Background())
	return &hold{ctx, end}
}

// share keeps up with who folds what, and how far it has come, until ctx ends.
func (h *Host) share(ctx context.Context) {
	for ctx.Err() == nil {
		marks, err := h.marks(ctx)
		pause := shareEvery
		for _, s := range h.hosted {
			if err != nil {
				s.unknown(err)
			} else if mark, ok := marks[s.p.ID()]; ok {
				s.mark(ctx, mark)
			}
			if s.away() && s.reached.awaited() {
				s.peek(ctx, h.Source)
				pause = shareSoon
			}
			s.sweep(ctx)
		}
		select {
		case <-ctx.Done():
		case <-h.asked:
		case <-time.After(pause):
		}
	}
}

// marks lays claim to what this node can fold, and leaves the rest to others.
func (h *Host) marks(ctx context.Context) (map[string]Mark, error) {
	claims := map[Claim][]string{}
	for _, s := range h.hosted {
		claim := Inherit
		switch {
		case h.ReadOnly:
			claim = Look
		case s.unable.Load():
			claim = Leave
		}
		claims[claim] = append(claims[claim], s.p.ID())
	}
	all := map[string]Mark{}
	for claim, ids := range claims {
		marks, err := h.shared.Hold(ctx, ids, claim)
		if err != nil {
			return nil, err
		}
		maps.Copy(all, marks)
	}
	return all, nil
}

// leave lets other nodes fold at once.
func (h *Host) leave(ctx context.Context) error {
	ids := make([]string, len(h.hosted))
	for i, s := range h.hosted {
		ids[i] = s.p.ID()
		s.mu.Lock()
		s.letGo()
		s.mu.Unlock()
	}
	_, err := h.shared.Hold(ctx, ids, Leave)
	return err
}

// ask has share look now.
func (h *Host) ask() {
	select {
	case h.asked <- struct{}{}:
	default:
	}
}

// away: another node folds the model, or it is not known who does.
func (s *hosted) away() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.hold == nil
}

func (s *hosted) unknown(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.hold == nil {
		s.failed = err
	}
}

// mark takes in how the model is.
func (s *hosted) mark(ctx context.Context, m Mark) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.model == nil:
	case m.Mine:
		s.begin(m)
	default:
		if s.hold != nil {
			s.logger.Info("another node folds the projection now")
		}
		s.letGo()
		s.see(ctx, m)
	}
}

// begin is this node's turn to fold, from where the model is. The caller holds s.mu.
func (s *hosted) begin(m Mark) {
	if s.hold != nil {
		return
	}
	s.hold = newHold()
	s.stored, s.seen, s.edition, s.failed = m.Position, m.Position, m.Edition, nil
	if s.old == "" {
		s.reached.set(s.seen, true)
	}
	select {
	case s.turn <- struct{}{}:
	default:
	}
}

// letGo ends this node's turn. The caller holds s.mu.
func (s *hosted) letGo() {
	if s.hold != nil {
		s.hold.end()
		s.hold = nil
	}
}

// see takes in how far another node has come. The caller holds s.mu.
func (s *hosted) see(ctx context.Context, m Mark) {
	back := m.Position < s.stored
	changed := back || m.Edition != s.edition
	if m.Position > s.stored {
		s.reached.goOn()
	}
	s.stored, s.edition, s.failed = m.Position, m.Edition, nil
	if back || m.Position > s.seen {
		s.seen = m.Position
	}
	s.advanced(ctx, changed)
}

// peek moves on past events that the projection does not fold: the rows are as
// of them too. The other node stores such moves only now and then.
func (s *hosted) peek(ctx context.Context, source Source) {
	if s.p.Types == nil {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, peekTime)
	defer cancel()
	s.mu.Lock()
	after := s.stored // and not seen, which need not be a position that the log has given
	s.mu.Unlock()
	for page, err := range source.FollowStored(ctx, after, s.p.Types, 1) {
		if err != nil {
			return
		}
		next := page.Next
		if len(page.Events) > 0 {
			next = page.Events[0].Position - 1
		}
		s.passed(ctx, after, next)
		return
	}
}

// passed: nothing that the projection folds happened after one position up to another.
func (s *hosted) passed(ctx context.Context, after, to event.Position) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.hold == nil && s.seen >= after && to > s.seen {
		s.seen = to
		s.advanced(ctx, false)
	}
}

// myTurn waits until this node folds the model; ctx of what it does then ends
// with its turn. Not ok: the caller's has ended before.
func (s *hosted) myTurn(ctx context.Context) (turn context.Context, end context.CancelFunc, ok bool) {
	for {
		s.mu.Lock()
		h := s.hold
		s.mu.Unlock()
		if h != nil {
			turn, end := context.WithCancel(ctx)
			stop := context.AfterFunc(h.ctx, end)
			return turn, func() { stop(); end() }, true
		}
		select {
		case <-ctx.Done():
			return ctx, func() {}, false
		case <-s.turn:
		}
	}
}

// sweep drops older versions, once a newer one serves on every node.
func (s *hosted) sweep(ctx context.Context) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.sweepAt.IsZero() || time.Now().Before(s.sweepAt) {
		return
	}
	s.sweepAt = time.Time{}
	if s.dropStale(ctx); len(s.stale) > 0 {
		s.sweepAt = time.Now().Add(sweepAfter)
	}
}

// takeTurn has this node fold the model from now on. The caller holds s.mu.
func (s *hosted) takeTurn(ctx context.Context) error {
	if s.shared == nil {
		return nil
	}
	marks, err := s.shared.Hold(ctx, []string{s.p.ID()}, Take)
	if err != nil {
		return err
	}
	m := marks[s.p.ID()]
	if s.hold != nil && m.Position != s.stored {
		s.letGo()
	}
	s.begin(m)
	return nil
}
