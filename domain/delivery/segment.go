package delivery

import (
	"slices"
	"time"

	"github.com/cleversender/cleversender/domain"
)

// A Standing is how far one recipient has come.
type Standing uint8

const (
	Waiting     Standing = iota // no message has left for them
	Pending                     // intended by the worker that holds the segment; no result yet
	Again                       // a server said not now: their turn comes again
	Sent                        // a server took the message
	Excluded                    // withheld, for good
	Undelivered                 // failed, for good
	InDoubt                     // intended by a worker that held the segment before, no result: sent again only when asked for
	standing                    // how many there are
)

// Settled reports that nothing more happens to the recipient.
func (s Standing) Settled() bool { return s >= Sent }

// Segment is a run of a campaign's recipients: one byte each says how far they
// have come, at their offset from First.
type Segment struct {
	Campaign domain.ID
	First    int // the ordinal of the first recipient
	Subjects Subjects
	Worker   domain.ID // who claimed it last
	Until    time.Time // how long for
	Resend   int       // which request to resend was answered last
	standing []Standing
	tries    []uint8 // how often a server said not now
	counts   [standing]int
}

// Evolve applies an event; s itself stays as it is.
func (s Segment) Evolve(e Event) Segment { return s.EvolveAll([]Event{e}) }

// EvolveAll applies events in their order, for one copy of what each
// recipient's standing is; s itself stays as it is.
func (s Segment) EvolveAll(events []Event) Segment {
	d := s.Draft()
	for _, e := range events {
		d.Apply(e)
	}
	return d.Segment
}

// A Draft is a segment of one's own, which events change in place.
type Draft struct{ Segment }

// Draft is a copy to be changed.
func (s Segment) Draft() *Draft {
	s.standing, s.tries = slices.Clone(s.standing), slices.Clone(s.tries)
	return &Draft{s}
}

// Apply applies an event.
func (s *Draft) Apply(e Event) {
	switch e := e.(type) {
	case Planned:
		s.Segment = Segment{Campaign: e.Campaign, First: e.First, Subjects: e.Subjects}
		s.standing, s.tries = make([]Standing, len(e.Subjects)), make([]uint8, len(e.Subjects))
		s.counts[Waiting] = len(e.Subjects)
	case Claimed:
		s.claimed(e)
	case Reopened:
		s.reopened(e)
	case Intended:
		s.Move(Pending, e.Ordinals...)
	case Withheld:
		s.Move(Excluded, e.Ordinal)
	case Accepted:
		s.Move(Sent, e.Ordinals...)
	case Deferred:
		s.deferred(e)
	case Failed:
		s.Move(Undelivered, e.Ordinal)
	}
}

// claimed hands the segment over: what another worker intended, and left
// without a result, nobody can know any more. The same worker renews.
func (s *Draft) claimed(e Claimed) {
	if e.Worker != s.Worker && s.counts[Pending] > 0 {
		for i, st := range s.standing {
			if st == Pending {
				s.standing[i] = InDoubt
			}
		}
		s.counts[InDoubt] += s.counts[Pending]
		s.counts[Pending] = 0
	}
	s.Worker, s.Until = e.Worker, e.Until
}

func (s *Draft) reopened(e Reopened) {
	for i, st := range s.standing {
		if st == InDoubt {
			s.standing[i] = Waiting
		}
	}
	s.counts[Waiting] += s.counts[InDoubt]
	s.counts[InDoubt] = 0
	s.Resend = e.Resend
}

// deferred counts a try, when a server was asked.
func (s *Draft) deferred(e Deferred) {
	if i := e.Ordinal - s.First; e.Code != 0 && i >= 0 && i < len(s.tries) && s.tries[i] < 255 {
		s.tries[i]++
	}
	s.Move(e.standing(), e.Ordinal)
}

// standing: a message that never left leaves its recipient as they were.
func (e Deferred) standing() Standing {
	if e.Code == 0 {
		return Waiting
	}
	return Again
}

// Move says how far recipients have come now.
func (s *Draft) Move(to Standing, ordinals ...int) {
	for _, ordinal := range ordinals {
		i := ordinal - s.First
		if i < 0 || i >= len(s.standing) {
			continue
		}
		s.counts[s.standing[i]]--
		s.counts[to]++
		s.standing[i] = to
	}
}

// Of is how far the recipient with this ordinal has come; ok is false when
// person is not that recipient.
func (s Segment) Of(ordinal int, person domain.ID) (standing Standing, ok bool) {
	i := ordinal - s.First
	if i < 0 || i >= len(s.Subjects) || s.Subjects[i] != person {
		return 0, false
	}
	return s.standing[i], true
}

// IsPlanned reports that the segment exists.
func (s Segment) IsPlanned() bool { return s.Subjects != nil }

// Reopens reports that a request to resend has people to get their turn again.
func (s Segment) Reopens(resend int) bool {
	return s.Done() && s.counts[InDoubt] > 0 && s.Resend < resend
}

// Done reports that every recipient is settled.
func (s Segment) Done() bool {
	return s.IsPlanned() && s.counts[Waiting]+s.counts[Pending]+s.counts[Again] == 0
}
