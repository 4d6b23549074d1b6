package readmodel

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"sync"
	"time"

	"github.com/ThreeDotsLabs/watermill"
	"github.com/ThreeDotsLabs/watermill/message"
	"github.com/ThreeDotsLabs/watermill/message/router/middleware"

	"github.com/cleversender/cleversender/adapters/eventlog"
	"github.com/cleversender/cleversender/domain/event"
	"github.com/cleversender/cleversender/projections"
)

// Source is the log, as the host reads it; *eventlog.Journal is one.
type Source interface {
	FollowStored(ctx context.Context, after event.Position, types []string, batch int) iter.Seq2[eventlog.Page, error]
	DecodePage(page eventlog.Page, types map[string]bool) (eventlog.RecordedPage, error)
	Head(ctx context.Context) (event.Position, error)
}

// Options are what a host needs.
type Options struct {
	Source      Source
	Store       Store
	Projections []projections.Projection
	// ReadOnly: other nodes fold, this one only answers. The store is Shared.
	ReadOnly bool
	// Subscriber makes Watermill's subscriber of pages; bus.NewLogSubscriber does.
	// A message carries its page in its context (eventlog.PageOf).
	Subscriber func(Follow) message.Subscriber
	Logger     *slog.Logger // nil: silent
}

// Follow yields the pages of a topic, from wherever its projection has come to.
type Follow = func(ctx context.Context, topic string) iter.Seq2[eventlog.RecordedPage, error]

// Host keeps every projection up to date and answers from them.
type Host struct {
	Options
	hosted []*hosted
	byName map[string]*hosted
	shared Shared        // the store, if several nodes use it
	asked  chan struct{} // to look at once how shared models are
	admin  sync.Mutex    // one rebuild or comparison at a time
}

const (
	// pageSize bounds a page while catching up; at the tail it is what there is.
	pageSize = 2000
	// buildSize bounds a page of a rebuild: the larger, the less often rows that events
	// come back to, such as a campaign's, are written, but several pages are in memory
	// at a time, and the collector pays for that.
	buildSize = 4_000
	// idleSave is how often a position is stored that moved without a row.
	idleSave = time.Second
	// maxPause bounds how long a projection gives way to appends, or gathers events, at a time.
	maxPause = 250 * time.Millisecond
	// At the tail, when events follow each other within less than soon, a projection
	// that nobody waits for gathers them for maxPause: larger pages cost less an event.
	soon = 100 * time.Millisecond
	// passing is how long it rests when they are none that it folds.
	passing = 20 * time.Millisecond
)

// NewHost opens the model of every projection. Nothing moves before Run.
//
// A projection whose version has changed is built from the first event. A model
// of another version serves meanwhile, frozen, if it has the same tables; else
// the new one does as it grows. WaitFor tells them apart: it waits for the new one.
func NewHost(ctx context.Context, o Options) (*Host, error) {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	h := &Host{Options: o, byName: map[string]*hosted{}, asked: make(chan struct{}, 1)}
	h.shared, _ = o.Store.(Shared)
	ids, err := o.Store.IDs(ctx)
	if err != nil {
		return nil, fmt.Errorf("read models: %w", err)
	}
	for _, p := range o.Projections {
		s := h.host(p)
		if err := s.open(ctx, ids); err != nil {
			return nil, errors.Join(fmt.Errorf("projection %s: %w", p.ID(), err), h.Close())
		}
		h.hosted, h.byName[p.Name] = append(h.hosted, s), s
	}
	return h, nil
}

func (h *Host) host(p projections.Projection) *hosted {
	s := &hosted{
		p: p, store: h.Store, shared: h.shared, ask: h.ask, logger: h.Logger.With("projection", p.ID()), turn: make(chan struct{}, 1),
	}
	if h.shared == nil {
		s.hold = newHold()
	} else {
		s.reached.waits = h.ask
	}
	return s
}

// Run follows the log until ctx ends, then stores every position, and leaves
// shared models to other nodes. An error of
// one projection stops no other: Status tells.
func (h *Host) Run(ctx context.Context) error {
	head, err := h.Source.Head(ctx)
	if err != nil {
		return fmt.Errorf("head of the log: %w", err)
	}
	logger := watermill.NewSlogLoggerWithLevelMapping(h.Logger, map[slog.Level]slog.Level{
		slog.LevelInfo: slog.LevelDebug, slog.LevelError: slog.LevelWarn,
	})
	router, err := message.NewRouter(message.RouterConfig{}, logger)
	if err != nil {
		return err
	}
	router.AddMiddleware(
		middleware.CorrelationID,
		middleware.Retry{
			MaxRetries: 4, InitialInterval: 20 * time.Millisecond, MaxInterval: time.Second, Multiplier: 3, Logger: logger,
		}.Middleware,
		middleware.Recoverer,
	)
	for _, s := range h.hosted {
		s.target = head
		topic := s.p.ID()
		subscriber := h.Subscriber(func(ctx context.Context, _ string) iter.Seq2[eventlog.RecordedPage, error] {
			return s.follow(ctx, h.Source)
		})
		router.AddConsumerHandler(topic, topic, subscriber, s.handle)
	}
	var saving sync.WaitGroup
	saving.Go(func() { h.saveIdle(ctx) })
	if h.shared != nil {
		saving.Go(func() { h.share(ctx) })
	}
	routed := make(chan error, 1)
	go func() { routed <- router.Run(ctx) }()
	<-ctx.Done()
	err = <-routed
	saving.Wait()
	for _, s := range h.hosted {
		err = errors.Join(err, s.save(context.WithoutCancel(ctx)))
	}
	if h.shared != nil {
		err = errors.Join(err, h.leave(context.WithoutCancel(ctx)))
	}
	return err
}

func (h *Host) saveIdle(ctx context.Context) {
	tick := time.NewTicker(idleSave)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		for _, s := range h.hosted {
			if err := s.save(ctx); err != nil && ctx.Err() == nil {
				s.logger.Warn("position not stored", "error", err)
			}
		}
	}
}

// Close closes the models; Run has returned.
func (h *Host) Close() error {
	h.admin.Lock()
	defer h.admin.Unlock()
	var err error
	for _, s := range h.hosted {
		err = errors.Join(err, s.close())
	}
	return err
}

// Names lists the projections, in the order given.
func (h *Host) Names() []string {
	names := make([]string, len(h.hosted))
	for i, s := range h.hosted {
		names[i] = s.p.Name
	}
	return names
}

func (h *Host) find(name string) (*hosted, error) {
	if s := h.byName[name]; s != nil {
		return s, nil
	}
	return nil, fmt.Errorf("no projection is called %q", name)
}

// WaitFor returns once the serving model of a projection has passed at; when
// the projection has stopped before, it returns why.
func (h *Host) WaitFor(ctx context.Context, name string, at event.Position) error {
	s, err := h.find(name)
	if err != nil {
		return err
	}
	return s.reached.wait(ctx, at)
}

// Reached is a position that what a projection's Reader answers is not older than;
// 0 for a projection that is not there.
func (h *Host) Reached(name string) event.Position {
	s, err := h.find(name)
	if err != nil {
		return 0
	}
	at, _ := s.reached.now()
	return at
}

// Edition changes whenever what a projection's Reader answers may have changed.
// A change that WaitFor has waited for shows in the edition read after it.
// It is 0 for a projection that is not there.
func (h *Host) Edition(name string) uint64 {
	s, err := h.find(name)
	if err != nil {
		return 0
	}
	return s.reached.changes()
}

// WaitAll is WaitFor of every projection.
func (h *Host) WaitAll(ctx context.Context, at event.Position) error {
	for _, s := range h.hosted {
		if err := s.reached.wait(ctx, at); err != nil {
			return err
		}
	}
	return nil
}

// Purge leaves nothing of deleted rows in any byte of the models' files.
func (h *Host) Purge(ctx context.Context) error {
	h.admin.Lock()
	defer h.admin.Unlock()
	var err error
	for _, s := range h.hosted {
		err = errors.Join(err, s.purge(ctx))
	}
	return err
}
