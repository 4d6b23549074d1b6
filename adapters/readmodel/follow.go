package readmodel

import (
	"context"
	"errors"
	"iter"
	"time"

	"github.com/cleversender/cleversender/adapters/eventlog"
	"github.com/cleversender/cleversender/domain/event"
	"github.com/cleversender/cleversender/projections"
)

// decodes is the types whose data the fold looks at; nil: all.
func decodes(p projections.Projection) map[string]bool {
	if p.Data != nil {
		return setOf(p.Data)
	}
	return setOf(p.Types)
}

// setOf is nil for nil.
func setOf(types []string) map[string]bool {
	if types == nil {
		return nil
	}
	set := make(map[string]bool, len(types))
	for _, t := range types {
		set[t] = true
	}
	return set
}

// follow yields pages from where the model is, as long as it is this node's
// turn to fold it. It ends at an event from a newer version of the software;
// other errors are tried again.
func (s *hosted) follow(ctx context.Context, source Source) iter.Seq2[eventlog.RecordedPage, error] {
	return func(yield func(eventlog.RecordedPage, error) bool) {
		for {
			turn, end, ok := s.myTurn(ctx)
			if !ok {
				return
			}
			again := s.followOn(turn, source, yield)
			over := turn.Err() != nil
			if end(); !again || ctx.Err() != nil {
				return
			}
			if over {
				continue
			}
			select {
			case <-ctx.Done():
				return
			case <-time.After(time.Second):
			}
		}
	}
}

// followOn yields pages until something is in the way; not again: for good.
func (s *hosted) followOn(ctx context.Context, source Source, yield func(eventlog.RecordedPage, error) bool) (again bool) {
	types := decodes(s.p)
	head, begun, last := event.Position(0), time.Now(), time.Time{}
	for page, err := range source.FollowStored(ctx, s.position(), s.p.Types, pageSize) {
		var decoded eventlog.RecordedPage
		came := time.Now()
		if err == nil {
			decoded, err = source.DecodePage(page, types)
		}
		if errors.Is(err, event.ErrNewer) {
			s.stopBefore(decoded, err, yield)
			return false
		}
		if err != nil {
			s.fail(err)
			return true
		}
		if !yield(decoded, nil) {
			return false
		}
		if _, stopped := s.reached.now(); stopped != nil {
			return false
		}
		switch n := len(page.Events); {
		case n == pageSize:
			head = s.giveWay(ctx, source, head, time.Since(begun))
		case n > 0 && came.Sub(last) < soon:
			s.reached.rest(ctx, maxPause)
		case n == 0 && came.Sub(begun) < soon: // others' events pour in
			s.reached.rest(ctx, passing)
		}
		if begun = time.Now(); len(page.Events) > 0 {
			last = begun
		}
	}
	return true
}

// giveWay lets appends go first while events pour in faster than they are
// folded, an import say: it pauses for three times as long as the last page
// took, unless the log has not grown since, or somebody waits for this projection.
func (s *hosted) giveWay(ctx context.Context, source Source, before event.Position, took time.Duration) event.Position {
	head, err := source.Head(ctx)
	if err == nil && head != before {
		s.reached.rest(ctx, min(3*took, maxPause))
	}
	return head
}

// stopBefore takes in what came before an event that cannot be understood, and stops.
func (s *hosted) stopBefore(before eventlog.RecordedPage, err error, yield func(eventlog.RecordedPage, error) bool) {
	if n := len(before.Events); n > 0 {
		before.Next = before.Events[n-1].Position
		if !yield(before, nil) {
			return
		}
	}
	s.stop(err)
}

func (s *hosted) stop(err error) {
	code := "projection_stopped"
	if errors.Is(err, event.ErrNewer) {
		code = event.Outdated
	}
	s.logger.Error("projection stopped", "code", code, "error", err)
	s.reached.stop(err)
	if s.shared != nil { // a newer node may know better
		s.unable.Store(true)
		s.ask()
	}
}

func (s *hosted) fail(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.failed = err
}

func (s *hosted) position() event.Position {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.seen
}
