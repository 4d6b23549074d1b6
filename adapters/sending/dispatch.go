package sending

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/cleversender/cleversender/domain/delivery"
)

// errand is a segment to visit.
type errand struct {
	number, passes int
	retry          time.Time // not before, for those who were deferred; zero: as nobody was yet
	at             time.Time // not before
}

// segments works at a campaign's segments, as many at once as there are free
// slots, until all are done or live ends. It adds up those that are done.
func (s *Sender) segments(hard, live context.Context, m *mailing, mail Mailing, mailer Mailer, n int) delivery.Totals {
	due, sum := s.unsettled(m, n)
	defer s.want(m, false)
	visits, working := make(chan visit), 0
	for len(due)+working > 0 {
		var slot chan<- struct{}
		var wake <-chan time.Time
		if len(due) > 0 {
			wait := time.Until(due[0].at)
			if closed, next := s.door.closed(); closed {
				wait = max(wait, next)
			}
			if n, again := s.open(m); n == 0 {
				wait = max(wait, time.Until(again), time.Millisecond)
			}
			if wait > 0 {
				wake = time.After(wait)
			} else {
				slot = s.slots
			}
		}
		over := live.Done()
		if live.Err() != nil {
			if working == 0 {
				return sum
			}
			over, slot, wake = nil, nil, nil
		}
		s.want(m, slot != nil && (working == 0 || due[0].at.IsZero()))
		select {
		case slot <- struct{}{}:
			next := due[0]
			due = due[1:]
			working++
			go func() {
				v := s.visit(hard, live, mail, mailer, m, next)
				<-s.slots
				visits <- v
			}()
		case v := <-visits:
			working--
			if v.done {
				s.settle(m, v)
				sum = sum.Plus(v.totals)
				continue
			}
			due = append(due, errand{v.number, v.passes, v.retry, s.comeback(live, m, v)})
			slices.SortStableFunc(due, func(a, b errand) int {
				return cmp.Or(a.at.Compare(b.at), a.number-b.number)
			})
		case <-wake:
		case <-over:
		}
	}
	return sum
}

// want says whether a segment of the campaign needs a slot that others may be
// lingering in: its first, or one for people who have not had a turn.
func (s *Sender) want(m *mailing, slot bool) {
	if m.wants == slot {
		return
	}
	m.wants = slot
	if slot {
		s.wanted.Add(1)
	} else {
		s.wanted.Add(-1)
	}
}

// unsettled lists the segments that are not known to be done, and adds up
// those that are.
func (s *Sender) unsettled(m *mailing, n int) ([]errand, delivery.Totals) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var due []errand
	var sum delivery.Totals
	for k := range n {
		if t, known := m.settled[k]; known {
			sum = sum.Plus(t)
		} else {
			due = append(due, errand{number: k})
		}
	}
	return due, sum
}

func (s *Sender) settle(m *mailing, v visit) {
	s.mu.Lock()
	defer s.mu.Unlock()
	m.settled[v.number] = v.totals
}

// comeback is when a segment that is not done is worth another visit.
func (s *Sender) comeback(live context.Context, m *mailing, v visit) time.Time {
	if v.err == nil {
		return v.again
	}
	if live.Err() == nil {
		s.metrics.faults.Inc()
		s.o.Logger.Warn("sending: a segment is put aside", "campaign", m.id, "segment", v.number, "error", v.err)
	}
	return time.Now().Add(time.Second)
}
