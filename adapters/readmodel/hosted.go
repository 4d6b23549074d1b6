package readmodel

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cleversender/cleversender/domain/event"
	"github.com/cleversender/cleversender/projections"
)

// hosted is one projection: the model that its events are folded into, and the
// one that answers, which is the same but for a while after an upgrade.
type hosted struct {
	p      projections.Projection
	store  Store
	shared Shared // the store, if several nodes use it; else nil
	ask    func() // has the host look at once how shared models are
	logger *slog.Logger
	target event.Position // where a new version takes over

	mu      sync.Mutex // of writing, and of which model is written
	model   Model
	stored  event.Position // what the model holds
	seen    event.Position // what has been folded; more than stored after pages without a match
	saved   time.Time
	poison  int
	failed  error // why the last page could not be applied; it comes again
	hold    *hold // nil: another node folds, up to stored; seen is as far as the rows hold
	turn    chan struct{}
	edition uint64    // of a shared model
	sweepAt time.Time // when stale models are to go; zero: nothing to do

	serving sync.RWMutex // held to read, and whole to switch
	serves  Model
	old     string // id of the frozen model that serves; "": model does
	stale   []string

	reached reached
	unable  atomic.Bool // to fold: it has stopped
}

const (
	rebuildSuffix = "_rebuild"
	compareSuffix = "_compare"
)

// open opens what there is. Scratch models that a crash left behind go.
func (s *hosted) open(ctx context.Context, ids []string) error {
	for _, suffix := range []string{rebuildSuffix, compareSuffix} {
		if err := s.store.Drop(ctx, s.p.ID()+suffix); err != nil && !errors.Is(err, ErrHeld) {
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
		s.reached.set(s.seen, true)
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
	if s.hold != nil {
		s.hold.end()
	}
	return err
}
