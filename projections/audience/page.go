package audience

import (
	"time"

	"github.com/cleversender/cleversender/domain"
	"github.com/cleversender/cleversender/domain/consent"
	"github.com/cleversender/cleversender/domain/event"
	"github.com/cleversender/cleversender/domain/subscriber"
	"github.com/cleversender/cleversender/projections"
)

// page is what one page of events touches: each row is read and written once.
type page struct {
	rows     projections.Rows
	persons  map[domain.ID]*person
	order    []*person
	lists    map[domain.ID]*List
	accounts map[domain.ID]*int
}

// person is a row of people, and all that follows from it.
type person struct {
	Person
	exists  bool // there is a row
	dirty   bool
	changed event.Position // of the last event about them
	answers answers
	members []member
	tracked Tracking // as its row says
}

// answers are those that hold for the account as a whole, as purposes lists them.
type answers [4]answer

// answer is one consent, and the event that it rests on.
type answer struct {
	consent.State
	at event.Position
}

func (a *answer) apply(e event.Recorded) {
	next, decided := a.Apply(e.Data)
	if a.State = next; decided {
		a.at = e.Position
	}
}

// inForce is the event that allows, 0 when none does.
func (a *answer) inForce(doubleOptIn bool) event.Position {
	if a.InForce(doubleOptIn) {
		return a.at
	}
	return 0
}

type member struct {
	answer
	list   domain.ID
	joined bool
	since  time.Time
	row    projections.Row // of members, when it has changed
}

// standing is how the person stands to a list: what holds mail back from them
// comes before what they agreed to.
func (s *person) standing(m *member, doubleOptIn bool) Standing {
	switch {
	case s.Held(subscriber.Restriction) != nil:
		return Restricted
	case s.objects(m):
		return Objected
	case s.suppressed():
		return Suppressed
	case m.InForce(doubleOptIn):
		return Mailable
	case m.Status == consent.StatusRevoked:
		return Revoked
	case m.Status == consent.StatusNone:
		return Silent
	default:
		return Unconfirmed
	}
}

// counted counts the member in, and makes their row.
func (s *person) counted(m *member, l *List) {
	standing := s.standing(m, l.DoubleOptIn)
	allows := event.Position(0)
	if standing == Mailable {
		allows = m.at
	}
	m.row = projections.Row{m.list[:], s.ID[:], string(standing), int64(allows), projections.Micros(m.since)}
	l.Counts.add(standing, 1)
}

func (s *person) on(list domain.ID) *member {
	for i := range s.members {
		if s.members[i].list == list {
			return &s.members[i]
		}
	}
	return nil
}

func newPage(rows projections.Rows) *page {
	return &page{rows, map[domain.ID]*person{}, nil, map[domain.ID]*List{}, map[domain.ID]*int{}}
}

// person is how the person is known so far; isNew: nobody is, for this is the
// first event of their stream.
func (p *page) person(account, id domain.ID, isNew bool) (*person, error) {
	if s := p.persons[id]; s != nil {
		return s, nil
	}
	s := &person{Person: Person{Account: account, ID: id}}
	if !isNew {
		row, err := p.rows.Get(people, account[:], id[:])
		if err != nil {
			return nil, err
		}
		if row != nil {
			if err := s.read(row); err != nil {
				return nil, err
			}
			s.tracked = s.tracking()
		}
	}
	p.persons[id] = s
	p.order = append(p.order, s)
	return s, nil
}

// list is the list as far as it is known. One that nobody made may be mailed
// by nobody who has not confirmed.
func (p *page) list(account, id domain.ID) (*List, error) {
	if l := p.lists[id]; l != nil {
		return l, nil
	}
	row, err := p.rows.Get(lists, account[:], id[:])
	if err != nil {
		return nil, err
	}
	l := &List{Account: account, ID: id, DoubleOptIn: true}
	if row != nil {
		*l = readList(row)
	}
	p.lists[id] = l
	return l, nil
}

// people is how many an account holds.
func (p *page) people(account domain.ID) (*int, error) {
	if n := p.accounts[account]; n != nil {
		return n, nil
	}
	row, err := p.rows.Get(accounts, account[:])
	if err != nil {
		return nil, err
	}
	n := new(int)
	if row != nil {
		*n = row.Int(1)
	}
	p.accounts[account] = n
	return n, nil
}

func (p *page) flush() error {
	for _, s := range p.order {
		if !s.exists || !s.dirty {
			continue
		}
		if err := p.rows.Put(people, s.row()); err != nil {
			return err
		}
		if err := p.track(s); err != nil {
			return err
		}
		for i := range s.members {
			if row := s.members[i].row; row != nil {
				if err := p.rows.Put(members, row); err != nil {
					return err
				}
			}
		}
	}
	for _, l := range p.lists {
		if err := p.rows.Put(lists, l.row()); err != nil {
			return err
		}
	}
	for account, n := range p.accounts {
		if err := p.rows.Put(accounts, projections.Row{account[:], int64(*n)}); err != nil {
			return err
		}
	}
	return nil
}
