package readmodel

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/ThreeDotsLabs/watermill/message"

	"github.com/cleversender/cleversender/adapters/eventlog"
	"github.com/cleversender/cleversender/domain/event"
	"github.com/cleversender/cleversender/projections"
)

// hosted is one projection: the model that its events are folded into, and the
// one that answers, which is the same but for a while after an upgrade.
type hosted struct {
	p      projections.Projection
	store  Store
	logger *slog.Logger
	target event.Position // where a new version takes over

	mu     sync.Mutex // of writing, and of which model is written
	model  Model
	stored event.Position // what the model holds
	seen   event.Position // what has been folded; more than stored after pages without a match
	saved  time.Time
	poison int
	failed error // why the last page could not be applied; it comes again

	serving sync.RWMutex // held to read, and whole to switch
	serves  Model
	old     string // id of the frozen model that serves; "": model does
	stale   []string

	reached reached
}

const (
	rebuildSuffix = "_rebuild"
	compareSuffix = "_compare"
)

// open opens what there is. Scratch models that a crash left behind go.
func (s *hosted) open(ctx context.Context, ids []string) error {
	for _, suffix := range []string{rebuildSuffix, compareSuffix} {
		if err := s.store.Drop(ctx, s.p.ID()+suffix); err != nil {
			return err
		}
	}
	if err := s.use(ctx); err != nil {
		return err
	}
	s.serves = s.model
	for _, id := range ids {
		if version, ok := strings.CutPrefix(id, s.p.Name+"_v"); ok && id != s.p.ID() {
			if _, err := strconv.Atoi(version); err == nil {
				s.stale = append(s.stale, id)
			}
		}
	}
	for _, id := range s.stale {
		m, err := s.store.Open(ctx, id, s.p.Tables)
		if errors.Is(err, ErrShape) {
			continue
		}
		if err != nil {
			return err
		}
		if s.old != "" {
			err = s.serves.Close()
		}
		s.serves, s.old = m, id
		if err != nil {
			return err
		}
	}
	if s.old == "" {
		s.reached.set(s.seen)
	}
	return nil
}

// use opens the model of this version, to be written.
func (s *hosted) use(ctx context.Context) (err error) {
	if s.model, err = s.store.Open(ctx, s.p.ID(), s.p.Tables); err != nil {
		if errors.Is(err, ErrShape) {
			err = fmt.Errorf("%w: give the projection a new version", err)
		}
		return err
	}
	if s.stored, err = s.model.Position(ctx); err != nil {
		return err
	}
	s.seen = s.stored
	poison, err := s.model.Poison(ctx, 10_000)
	s.poison = len(poison)
	return err
}

// decodes is the types whose data the fold looks at; nil: all.
func decodes(p projections.Projection) map[string]bool {
	if p.Envelopes {
		return map[string]bool{}
	}
	return folds(p)
}

// folds is the types that the fold gets; nil: all.
func folds(p projections.Projection) map[string]bool {
	if p.Types == nil {
		return nil
	}
	types := make(map[string]bool, len(p.Types))
	for _, t := range p.Types {
		types[t] = true
	}
	return types
}

// follow yields pages from where the model is. It ends at an event from a
// newer version of the software; other errors are tried again.
func (s *hosted) follow(ctx context.Context, source Source) iter.Seq2[eventlog.RecordedPage, error] {
	types := decodes(s.p)
	return func(yield func(eventlog.RecordedPage, error) bool) {
		for {
			for page, err := range source.FollowStored(ctx, s.position(), s.p.Types, pageSize) {
				var decoded eventlog.RecordedPage
				if err == nil {
					decoded, err = source.DecodePage(page, types)
				}
				if errors.Is(err, event.ErrNewer) {
					s.stopBefore(decoded, err, yield)
					return
				}
				if err != nil {
					s.fail(err)
					break
				}
				if !yield(decoded, nil) {
					return
				}
				if _, stopped := s.reached.now(); stopped != nil {
					return
				}
			}
			select {
			case <-ctx.Done():
				return
			case <-time.After(time.Second):
			}
		}
	}
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
	s.logger.Error("projection stopped", "error", err)
	s.reached.stop(err)
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
		s.reached.set(s.seen)
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
		s.reached.set(s.seen)
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

func (s *hosted) purge(ctx context.Context) error {
	s.serving.RLock()
	defer s.serving.RUnlock()
	if s.old != "" {
		if err := s.serves.Purge(ctx); err != nil {
			return err
		}
	}
	return s.model.Purge(ctx)
}

func (s *hosted) close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.serving.Lock()
	defer s.serving.Unlock()
	var err error
	if s.old != "" && s.serves != nil {
		err = s.serves.Close()
	}
	if s.model != nil {
		err = errors.Join(err, s.model.Close())
	}
	s.model, s.serves = nil, nil
	return err
}
