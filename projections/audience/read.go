package audience

import (
	"context"
	"time"

	"github.com/cleversender/cleversender/domain"
	"github.com/cleversender/cleversender/domain/event"
	"github.com/cleversender/cleversender/domain/personal"
	"github.com/cleversender/cleversender/domain/subscriber"
	"github.com/cleversender/cleversender/projections"
)

// Person is somebody whose data an account holds. An erased person is nobody.
type Person struct {
	Account, ID   domain.ID
	Email, Name   personal.Text // sealed
	Attributes    personal.Fields
	SealedBy      domain.ID // the event that Email, Name and Attributes come from
	Source        subscriber.Source
	AddedAt       time.Time
	OpenTracking  event.Position // of the event that put this consent in force; 0: not in force
	ClickTracking event.Position
	Profiling     event.Position
	PolicyNotices event.Position
	Lists         []Member // in the order they came onto them
	Holds         []Held   // oldest first
}

// Member is a person on a list.
type Member struct {
	List, Person domain.ID
	Standing     Standing
	Consent      event.Position // of the event that allows mail; 0: none may be sent
	Since        time.Time
}

// Standing is what a member's consent to mail, and what holds it back, come to.
// Names are API.
type Standing string

const (
	Mailable    Standing = "mailable"
	Unconfirmed Standing = "unconfirmed" // agreed or asked to, and has yet to confirm
	Revoked     Standing = "revoked"
	Silent      Standing = "no_consent" // on the list, and never agreed to mail
	Suppressed  Standing = "suppressed" // whatever they agreed to; so are the next two
	Objected    Standing = "objected"
	Restricted  Standing = "restricted"
)

// List is a mailing list and how many people are on it.
type List struct {
	Account, ID domain.ID
	Name        string
	DoubleOptIn bool
	Archived    bool
	CreatedAt   time.Time
	Counts      Counts
}

// Counts adds up to Members.
type Counts struct {
	Members, Mailable, Unconfirmed, Revoked, Silent int
	Suppressed, Objected, Restricted                int
}

// HeldBack is how many get no mail whatever they agreed to.
func (c Counts) HeldBack() int { return c.Suppressed + c.Objected + c.Restricted }

// Find returns a person of the account.
func Find(ctx context.Context, r projections.Reader, account, person domain.ID) (p Person, found bool, err error) {
	row, err := r.Get(ctx, people, account[:], person[:])
	if err != nil || row == nil {
		return Person{}, false, err
	}
	list := listCache(ctx, r, account)
	p, err = readPerson(row, list)
	return p, err == nil, err
}

// People returns up to limit people of the account in id order, after one (zero: from the start).
func People(ctx context.Context, r projections.Reader, account, after domain.ID, limit int) ([]Person, error) {
	rows, err := r.Scan(ctx, people, []any{account[:]}, past(after), limit)
	if err != nil {
		return nil, err
	}
	list := listCache(ctx, r, account)
	out := make([]Person, len(rows))
	for i, row := range rows {
		if out[i], err = readPerson(row, list); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// Members returns up to limit members of a list in id order, after one. The
// caller has made sure (FindList) that the list is the account's.
func Members(ctx context.Context, r projections.Reader, list, after domain.ID, limit int) ([]Member, error) {
	rows, err := r.Scan(ctx, members, []any{list[:]}, past(after), limit)
	out := make([]Member, len(rows))
	for i, row := range rows {
		out[i] = Member{row.ID(0), row.ID(1), Standing(row.Text(2)), row.Position(3), row.Time(4)}
	}
	return out, err
}

// Lists returns up to limit lists of the account, archived ones too, in id order, after one.
func Lists(ctx context.Context, r projections.Reader, account, after domain.ID, limit int) ([]List, error) {
	rows, err := r.Scan(ctx, lists, []any{account[:]}, past(after), limit)
	out := make([]List, len(rows))
	for i, row := range rows {
		out[i] = readList(row)
	}
	return out, err
}

// FindList returns a list of the account.
func FindList(ctx context.Context, r projections.Reader, account, list domain.ID) (l List, found bool, err error) {
	row, err := r.Get(ctx, lists, account[:], list[:])
	if err != nil || row == nil {
		return List{}, false, err
	}
	return readList(row), true, nil
}

// CountPeople is how many people the account holds data of.
func CountPeople(ctx context.Context, r projections.Reader, account domain.ID) (int, error) {
	row, err := r.Get(ctx, accounts, account[:])
	if err != nil || row == nil {
		return 0, err
	}
	return row.Int(1), nil
}

// past is where a page goes on.
func past(id domain.ID) []any {
	if id.IsZero() {
		return nil
	}
	return []any{id[:]}
}

// listCache asks for each list once. Nobody may be mailed for one that is not there.
func listCache(ctx context.Context, r projections.Reader, account domain.ID) func(domain.ID) (List, error) {
	known := map[domain.ID]List{}
	return func(id domain.ID) (List, error) {
		if l, ok := known[id]; ok {
			return l, nil
		}
		l, found, err := FindList(ctx, r, account, id)
		if !found {
			l = List{Account: account, ID: id, DoubleOptIn: true, Archived: true}
		}
		known[id] = l
		return l, err
	}
}

func readPerson(row projections.Row, list func(domain.ID) (List, error)) (Person, error) {
	var s person
	if err := s.read(row); err != nil {
		return Person{}, err
	}
	p := s.Person
	p.OpenTracking, p.ClickTracking = s.answers[0].inForce(false), s.answers[1].inForce(false)
	p.Profiling, p.PolicyNotices = s.answers[2].inForce(false), s.answers[3].inForce(false)
	for i := range s.members {
		m := &s.members[i]
		l, err := list(m.list)
		if err != nil {
			return Person{}, err
		}
		on := Member{List: m.list, Person: s.ID, Standing: s.standing(m, l.DoubleOptIn), Since: m.since}
		if on.Standing == Mailable {
			on.Consent = m.at
		}
		p.Lists = append(p.Lists, on)
	}
	return p, nil
}
