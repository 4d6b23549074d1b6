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
		s.stop(err)
		return nil
	}
	return err
}

// apply folds a page, or what of it has not been folded yet.
func (s *hosted) apply(ctx context.Context, page eventlog.RecordedPage) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	b := batch(s.p, page, s.seen, page.Next)
	if page.Next <= s.seen {
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
	if s.old == "" {
		s.reached.set(s.seen, b.Fold != nil)
	}
	if len(s.stale) > 0 && s.seen >= s.target {
		s.takeOver(ctx)
	}
	return nil
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

// takeOver lets a new version serve once it has caught up, and drops what it replaces.
func (s *hosted) takeOver(ctx context.Context) {
	var err error
	if s.old != "" {
		s.serving.Lock()
		err = s.serves.Close()
		s.serves, s.old = s.model, ""
		s.serving.Unlock()
		s.reached.set(s.seen, true)
		s.logger.Info("a new version of the projection serves")
	}
	for _, id := range s.stale {
		err = errors.Join(err, s.store.Drop(ctx, id))
	}
	s.stale = nil
	if err != nil { // they go after the next start
		s.logger.Warn("an old model is still there", "error", err)
	}
}

// save stores a position that moved without a row.
func (s *hosted) save(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.seen == s.stored || s.model == nil {
		return nil
	}
	err := s.model.Apply(ctx, Batch{From: s.stored, Next: s.seen})
	if err == nil {
		s.stored, s.saved = s.seen, time.Now()
	}
	return err
}
