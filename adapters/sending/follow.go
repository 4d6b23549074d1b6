package sending

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/cleversender/cleversender/adapters/eventlog"
	"github.com/cleversender/cleversender/adapters/sending/again"
	"github.com/cleversender/cleversender/domain"
	"github.com/cleversender/cleversender/domain/campaign"
	"github.com/cleversender/cleversender/domain/delivery"
	"github.com/cleversender/cleversender/domain/event"
)

// mailing is what the worker knows of a campaign. Sender.mu guards it.
type mailing struct {
	id      campaign.ID
	account domain.ID
	state   campaign.Campaign
	started event.Position          // of campaign.started
	turn    int                     // counts what changes whether and how there is work
	settled map[int]delivery.Totals // segments known to be done, over all runs
	knocks  knocks
	wants   bool // a slot; its task alone knows

	busy      bool // a task is at work
	busyTurn  int  // for this turn
	doneTurn  int  // the turn whose work is done
	interrupt context.CancelFunc
}

// follow keeps up with what happens to campaigns, and sees to it that each has
// the task that is due. It returns when ctx ends; tasks live in hard.
func (s *Sender) follow(ctx, hard context.Context) error {
	var head, after event.Position
	if err := s.persist(ctx, "find the head of the log", func() (err error) {
		head, err = s.o.Journal.Head(ctx)
		return err
	}); err != nil {
		return endOf(ctx, err)
	}
	var types []string
	for _, t := range campaign.Events {
		types = append(types, t.Name)
	}
	for n := 0; ctx.Err() == nil; n++ {
		for page, err := range s.o.Journal.Follow(ctx, after, types, 500) {
			switch {
			case errors.Is(err, event.ErrNewer):
				return err
			case err != nil:
				if ctx.Err() == nil {
					s.metrics.faults.Inc()
					s.o.Logger.Warn("sending: following campaigns, trying again", "error", err)
				}
			default:
				n, after = 0, page.Next
				s.take(hard, page, after >= head)
			}
		}
		again.Sleep(ctx, again.Backoff(n, 50*time.Millisecond, 5*time.Second))
	}
	return nil
}

// endOf is nil when err comes of ctx's end.
func endOf(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return nil
	}
	return err
}

// take folds a page. Nothing is begun before the worker has caught up: what
// was once due may be long over.
func (s *Sender) take(hard context.Context, page eventlog.RecordedPage, caughtUp bool) {
	for _, p := range page.Poison {
		s.o.Logger.Error("sending: a campaign's event cannot be read", "event", p.Event.ID, "error", p.Err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	changed := map[campaign.ID]*mailing{}
	for _, e := range page.Events {
		if m := s.evolve(e); m != nil {
			changed[m.id] = m
		}
	}
	if !caughtUp {
		return
	}
	if !s.caughtUp {
		s.caughtUp = true
		changed = s.campaigns
	}
	for _, m := range changed {
		s.adjust(hard, m)
	}
}

func (s *Sender) evolve(e event.Recorded) *mailing {
	text, _ := strings.CutPrefix(e.Stream, "campaign-")
	id, err := domain.ParseID(text)
	data, ok := e.Data.(campaign.Event)
	if err != nil || !ok {
		return nil
	}
	m := s.campaigns[id]
	if m == nil {
		m = &mailing{id: id, account: e.Meta.Account, settled: map[int]delivery.Totals{}, interrupt: func() {}}
		s.campaigns[id] = m
	}
	m.state = m.state.Evolve(data)
	switch data.(type) {
	case campaign.Started:
		m.started = e.Position
		m.turn++
	case campaign.ResendRequested:
		m.settled = map[int]delivery.Totals{}
		m.turn++
	case campaign.Scheduled, campaign.Unscheduled, campaign.Paused, campaign.Resumed, campaign.Throttled, campaign.Cancelled, campaign.Finished:
		m.turn++
	}
	return m
}

// adjust starts the task that is due, or ends the one that no longer is; the
// next then starts when it has ended. The caller holds s.mu.
func (s *Sender) adjust(hard context.Context, m *mailing) {
	if m.busy {
		if m.busyTurn != m.turn {
			m.interrupt()
		}
		return
	}
	var task func(context.Context, context.Context, *mailing) error
	switch m.state.Status {
	case campaign.Waiting:
		task = s.startLater
	case campaign.Sending:
		task = s.run
	case campaign.Done: // the unknown may be asked for
		m.settled = map[int]delivery.Totals{}
		m.knocks.forget()
	case campaign.CalledOff:
		delete(s.campaigns, m.id)
	}
	if task == nil || s.stopping || m.doneTurn == m.turn {
		return
	}
	live, interrupt := context.WithCancel(hard)
	m.busy, m.busyTurn, m.interrupt = true, m.turn, interrupt
	s.tasks.Go(func() {
		ok := s.perform(hard, live, m, task)
		interrupt()
		s.mu.Lock()
		defer s.mu.Unlock()
		m.busy = false
		if ok {
			m.doneTurn = m.busyTurn
		}
		s.adjust(hard, m)
	})
}

// perform does a task until it succeeds (true) or is interrupted.
func (s *Sender) perform(hard, live context.Context, m *mailing, task func(context.Context, context.Context, *mailing) error) bool {
	for n := 0; ; n++ {
		err := task(hard, live, m)
		if live.Err() != nil {
			return false
		}
		if err == nil {
			return true
		}
		s.metrics.faults.Inc()
		s.o.Logger.Warn("sending: a campaign has to wait", "campaign", m.id, "attempt", n+1, "error", err)
		if !again.Sleep(live, again.Backoff(n, 250*time.Millisecond, 30*time.Second)) {
			return false
		}
	}
}
