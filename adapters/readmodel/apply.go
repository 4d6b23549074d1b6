package readmodel

import (
	"context"
	"errors"
	"time"

	"github.com/ThreeDotsLabs/watermill/message"

	"github.com/cleversender/cleversender/adapters/eventlog"
	"github.com/cleversender/cleversender/domain/event"
	"github.com/cleversender/cleversender/projections"
)

// handle is Watermill's handler: it acknowledges once the page is in the model.
func (s *hosted) handle(msg *message.Message) error {
	page, ok := eventlog.PageOf(msg.Context())
	if !ok {
		return errors.New("the message carries no page")
	}
	err := s.apply(msg.Context(), page)
	if errors.Is(err, ErrMoved) {
		s.moved(err)
		return nil
	}
	return err
}

// moved: somebody else has written to the model. If it is shared, that is
// whoever folds it now; it may be this node, from where the model is.
func (s *hosted) moved(err error) {
	if s.shared == nil {
		s.stop(err)
		return
	}
	s.mu.Lock()
	s.letGo()
	s.mu.Unlock()
	s.ask()
}

// apply folds a page, or what of it has not been folded yet.
func (s *hosted) apply(ctx context.Context, page eventlog.RecordedPage) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	b := batch(s.p, page, s.seen, page.Next)
	if page.Next <= s.seen || s.hold == nil {
		return nil
	}
	if b.Fold != nil || len(b.Poison) > 0 || time.Since(s.saved) > idleSave {
		b.From = s.stored
		if s.failed = s.model.Apply(ctx, b); s.failed != nil {
			return s.failed
		}
		s.stored, s.saved = page.Next, time.Now()
		for _, p := range b.Poison {
			s.poison++
			s.logger.Error("event cannot be read", "event", p.Event, "type", p.Type, "version", p.Version, "position", p.Position)
		}
	}
	s.seen, s.failed = page.Next, nil
	s.advanced(ctx, b.Fold != nil)
	return nil
}

// advanced: the model is as of s.seen. The caller holds s.mu.
func (s *hosted) advanced(ctx context.Context, changed bool) {
	if s.old == "" {
		s.reached.set(s.seen, changed)
	}
	if len(s.stale) > 0 && s.seen >= s.target && s.sweepAt.IsZero() {
		s.takeOver(ctx)
	}
}

// batch is what a page has for a projection, after a position and up to another.
func batch(p projections.Projection, page eventlog.RecordedPage, after, upTo event.Position) Batch {
	b := Batch{Next: min(page.Next, upTo)}
	events := page.Events
	for len(events) > 0 && events[0].Position <= after {
		events = events[1:]
	}
	for n := len(events); n > 0 && events[n-1].Position > upTo; n = len(events) {
		events = events[:n-1]
	}
	if len(events) > 0 {
		b.Fold = func(rows projections.Rows) error { return p.Fold(rows, events) }
	}
	for _, e := range page.Poison {
		if at := e.Event.Position; at > after && at <= upTo {
			b.Poison = append(b.Poison, Poison{at, e.Event.ID.String(), e.Event.Type, e.Event.Version})
		}
	}
	return b
}

// takeOver lets a new version serve once it has caught up, and has what it replaces dropped.
func (s *hosted) takeOver(ctx context.Context) {
	if s.old != "" {
		s.serving.Lock()
		err := s.serves.Close()
		s.serves, s.old = s.model, ""
		s.serving.Unlock()
		s.reached.set(s.seen, true)
		s.logger.Info("a new version of the projection serves")
		if err != nil {
			s.logger.Warn("an old model is not closed", "error", err)
		}
	}
	if s.shared != nil {
		s.sweepAt = time.Now().Add(sweepAfter)
		return
	}
	s.dropStale(ctx)
}

// dropStale drops what a newer version has replaced; what cannot be dropped
// goes after the next start, unless another node holds it.
func (s *hosted) dropStale(ctx context.Context) {
	var held []string
	for _, id := range s.stale {
		switch err := s.store.Drop(ctx, id); {
		case errors.Is(err, ErrHeld): // by a node of an older version of the software
			held = append(held, id)
		case err != nil:
			s.logger.Warn("an old model is still there", "error", err)
		}
	}
	s.stale = held
}

// save stores a position that moved without a row.
func (s *hosted) save(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.seen == s.stored || s.model == nil || s.hold == nil {
		return nil
	}
	err := s.model.Apply(ctx, Batch{From: s.stored, Next: s.seen})
	if err == nil {
		s.stored, s.saved = s.seen, time.Now()
	}
	return err
}
