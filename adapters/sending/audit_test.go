package sending_test

import (
	"context"
	"fmt"
	"sort"

	"github.com/cleversender/cleversender/adapters/eventlog"
	"github.com/cleversender/cleversender/domain"
	"github.com/cleversender/cleversender/domain/consent"
	"github.com/cleversender/cleversender/domain/delivery"
	"github.com/cleversender/cleversender/domain/event"
	"github.com/cleversender/cleversender/domain/subscriber"
)

// said is what a person has said up to some point of the log, for one list. It
// is read from the events alone, not by the audience that the worker asks.
type said struct {
	consent    event.Position // of the consent in force; 0: none
	objected   event.Position // 0: not
	suppressed map[subscriber.Hold]bool
	restricted bool
	erased     bool
}

func (s *said) take(e event.Recorded) {
	switch d := e.Data.(type) {
	case consent.Given:
		s.consent = e.Position
	case consent.Revoked:
		s.consent = 0
	case subscriber.Suppressed:
		s.suppressed[d.Reason] = true
	case subscriber.Unsuppressed:
		delete(s.suppressed, d.Reason)
	case subscriber.Restricted:
		s.restricted = true
	case subscriber.RestrictionLifted:
		s.restricted = false
	case subscriber.Objected:
		s.objected = e.Position
	case subscriber.ObjectionWithdrawn:
		s.objected = 0
	case subscriber.Erased:
		s.erased = true
	}
}

// allows is the position of the consent by which mail may go out; 0: it may not.
func (s *said) allows() event.Position {
	if s.erased || s.restricted || len(s.suppressed) > 0 || s.consent < s.objected {
		return 0
	}
	return s.consent
}

// intent is a person's part of sends.intended, the consent that it names, and
// the one by which mail might go out where it stands; 0: none.
type intent struct {
	at, names, allows event.Position
}

// audit is a whole log, read once from the first event to the last.
type audit struct {
	people   map[domain.ID]*said
	intents  map[domain.ID][]intent
	open     map[domain.ID]bool // intended, and nothing said of it since
	accepted map[domain.ID]int
	wrong    []string
}

// newAudit reads the log and notes what no log may hold.
func newAudit(ctx context.Context, j *eventlog.Journal) (*audit, error) {
	a := &audit{
		people: map[domain.ID]*said{}, intents: map[domain.ID][]intent{}, open: map[domain.ID]bool{}, accepted: map[domain.ID]int{},
	}
	head, err := j.Head(ctx)
	if err != nil {
		return nil, err
	}
	for page, err := range j.Follow(ctx, 0, nil, 500) {
		if err != nil {
			return nil, err
		}
		for _, e := range page.Events {
			a.take(e)
		}
		if page.Next >= head {
			break
		}
	}
	return a, nil
}

func (a *audit) complain(format string, args ...any) {
	a.wrong = append(a.wrong, fmt.Sprintf(format, args...))
}

func (a *audit) take(e event.Recorded) {
	id := e.Meta.Subject
	switch d := e.Data.(type) {
	case delivery.Intended:
		for i, person := range d.Subjects {
			a.intended(person, e.Position, d.Consents[i])
		}
	case delivery.Accepted:
		for _, person := range d.Subjects {
			a.taken(person, e.Position)
		}
	case delivery.Deferred:
		a.open[id] = false
		if d.Code != 0 { // a server was asked
			a.left(id, e.Position)
		}
	case delivery.Failed:
		a.open[id] = false
		if d.Code != 0 {
			a.left(id, e.Position)
		}
	case delivery.Withheld:
		a.open[id] = false
	default:
		a.person(id).take(e)
	}
}

func (a *audit) person(id domain.ID) *said {
	if a.people[id] == nil {
		a.people[id] = &said{suppressed: map[subscriber.Hold]bool{}}
	}
	return a.people[id]
}

func (a *audit) intended(id domain.ID, at, names event.Position) {
	if a.open[id] {
		a.complain("event %d: intended again, and nobody knows what became of the last", at)
	}
	a.open[id] = true
	a.intents[id] = append(a.intents[id], intent{at, names, a.person(id).allows()})
}

func (a *audit) taken(id domain.ID, at event.Position) {
	if !a.open[id] {
		a.complain("event %d: accepted, and never intended", at)
	}
	a.open[id] = false
	if a.accepted[id]++; a.accepted[id] > 1 {
		a.complain("event %d: accepted again", at)
	}
	a.left(id, at)
}

// left: a message to this person had left by this point of the log. Its intent
// has to stand where a consent was in force, and to name it.
func (a *audit) left(id domain.ID, by event.Position) {
	all := a.intents[id]
	n := sort.Search(len(all), func(i int) bool { return all[i].at > by })
	switch {
	case n == 0:
		a.complain("by %d: left without an intent", by)
	case all[n-1].allows == 0:
		a.complain("by %d: left, and nothing allowed it at the intent, %d", by, all[n-1].at)
	case all[n-1].allows != all[n-1].names:
		a.complain("by %d: left, allowed by %d, and the intent, %d, names %d", by, all[n-1].allows, all[n-1].at, all[n-1].names)
	}
}
