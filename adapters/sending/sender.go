package sending

import (
	"context"
	"sync"
	"sync/atomic"

	"github.com/google/uuid"

	"github.com/cleversender/cleversender/adapters/sending/again"
	"github.com/cleversender/cleversender/domain"
	"github.com/cleversender/cleversender/domain/campaign"
)

// Sender is one worker. Several may share a log, in one process or many.
type Sender struct {
	o       Options
	metrics metrics
	slots   chan struct{} // held by a segment in work
	wanted  atomic.Int32  // campaigns that want a slot before others linger in theirs
	stride  stride
	jobs    chan job // taken by the connections

	mu        sync.Mutex
	campaigns map[campaign.ID]*mailing
	caughtUp  bool
	stopping  bool
	begun     bool

	tasks   sync.WaitGroup
	stop    chan struct{}   // closed by Stop: begin nothing new
	ended   chan struct{}   // closed when Run returns
	wire    context.Context // transmissions live in it; Stop ends it when its time runs out
	breakup context.CancelFunc
	door    door
}

// New makes a worker; Run makes it work.
func New(o Options) *Sender {
	o = o.withDefaults()
	wire, breakup := context.WithCancel(context.Background())
	return &Sender{
		o: o, metrics: newMetrics(),
		slots: make(chan struct{}, o.Parallel), jobs: make(chan job),
		campaigns: map[campaign.ID]*mailing{},
		stop:      make(chan struct{}), ended: make(chan struct{}),
		wire: wire, breakup: breakup,
	}
}

// Run works until Stop, or until ctx ends: that breaks off what is under way,
// as a crash would. It is called once. An error says that it cannot go on.
func (s *Sender) Run(ctx context.Context) error {
	s.mu.Lock()
	s.begun = true
	s.mu.Unlock()
	defer close(s.ended)
	defer s.breakup()
	defer context.AfterFunc(ctx, s.breakup)()
	following, unfollow := context.WithCancel(ctx)
	defer unfollow()
	go func() {
		select {
		case <-s.stop:
			unfollow()
		case <-following.Done():
		}
	}()
	idle := make(chan struct{})
	var connections sync.WaitGroup
	for range s.o.Connections {
		connections.Go(func() { s.connection(idle) })
	}
	err := s.follow(following, ctx)
	s.halt()
	s.tasks.Wait() // segments are put aside, their leases released
	close(idle)
	connections.Wait()
	return err
}

// Stop lets what is under way end and be recorded, releases every segment, and
// returns when Run does. When ctx ends first, transmissions are broken off, and
// what they were about is unknown; Stop then returns ctx's error at once, and
// Run soon. After Stop, a Run that had not begun ends at once.
func (s *Sender) Stop(ctx context.Context) error {
	if begun := s.halt(); !begun {
		return nil
	}
	select {
	case <-s.ended:
		return nil
	case <-ctx.Done():
		s.breakup()
		return ctx.Err()
	}
}

// halt begins the end: no task starts any more, and those at work wind down.
func (s *Sender) halt() (begun bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stopping {
		return s.begun
	}
	s.stopping = true
	close(s.stop)
	for _, m := range s.campaigns {
		m.interrupt()
	}
	return s.begun
}

// newID is random, and later ones sort later.
func newID() domain.ID { return domain.ID(uuid.Must(uuid.NewV7())) }

// persist asks until it is done, refused or overtaken, or until ctx ends.
func (s *Sender) persist(ctx context.Context, what string, ask func() error) error {
	return again.Until(ctx, ask, func(attempt int, err error) {
		s.metrics.faults.Inc()
		s.o.Logger.Warn("sending: trying again", "step", what, "attempt", attempt, "error", err)
	})
}
