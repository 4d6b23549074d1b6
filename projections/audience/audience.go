// Package audience answers who is held, who is on which list, whom mail may go to, and who is suppressed.
//
// A person's row is the whole of what is known: the other tables repeat it in
// another order. An erased person has no row, and events about somebody who has
// none change nothing.
package audience

import (
	"github.com/cleversender/cleversender/domain"
	"github.com/cleversender/cleversender/domain/consent"
	"github.com/cleversender/cleversender/domain/event"
	"github.com/cleversender/cleversender/domain/list"
	"github.com/cleversender/cleversender/domain/subscriber"
	"github.com/cleversender/cleversender/projections"
)

var people = &projections.Table{
	Name:   "people",
	Key:    []projections.Column{{Name: "account", Kind: projections.Bytes}, {Name: "person", Kind: projections.Bytes}},
	Values: []projections.Column{{Name: "known", Kind: projections.Bytes}}, // see pack.go
}

var members = &projections.Table{
	Name: "members",
	Key:  []projections.Column{{Name: "list", Kind: projections.Bytes}, {Name: "person", Kind: projections.Bytes}},
	Values: []projections.Column{
		{Name: "standing", Kind: projections.Text},
		{Name: "consent", Kind: projections.Int},
		{Name: "since", Kind: projections.Int},
	},
}

var lists = &projections.Table{
	Name: "lists",
	Key:  []projections.Column{{Name: "account", Kind: projections.Bytes}, {Name: "list", Kind: projections.Bytes}},
	Values: []projections.Column{
		{Name: "name", Kind: projections.Text},
		{Name: "double_opt_in", Kind: projections.Int},
		{Name: "archived", Kind: projections.Int},
		{Name: "created", Kind: projections.Int},
		{Name: "members", Kind: projections.Int},
		{Name: "mailable", Kind: projections.Int},
		{Name: "unconfirmed", Kind: projections.Int},
		{Name: "revoked", Kind: projections.Int},
		{Name: "silent", Kind: projections.Int},
		{Name: "suppressed", Kind: projections.Int},
		{Name: "objected", Kind: projections.Int},
		{Name: "restricted", Kind: projections.Int},
	},
}

var suppressions = &projections.Table{
	Name: "suppressions",
	Key: []projections.Column{
		{Name: "account", Kind: projections.Bytes}, {Name: "person", Kind: projections.Bytes}, {Name: "reason", Kind: projections.Text},
	},
	Values: []projections.Column{{Name: "since", Kind: projections.Int}},
}

var accounts = &projections.Table{
	Name:   "accounts",
	Key:    []projections.Column{{Name: "account", Kind: projections.Bytes}},
	Values: []projections.Column{{Name: "people", Kind: projections.Int}},
}

// tracked repeats what is asked at every hit, small and dense. Who allows
// nothing has no row.
var tracked = &projections.Table{
	Name:   "tracked",
	Key:    []projections.Column{{Name: "person", Kind: projections.Bytes}, {Name: "account", Kind: projections.Bytes}},
	Values: []projections.Column{{Name: "opens", Kind: projections.Int}, {Name: "clicks", Kind: projections.Int}},
}

// Projection is to be hosted.
var Projection = projections.Projection{
	Name: "audience", Version: 6,
	Types: []string{
		"list.created", "list.archived",
		"subscriber.added", "subscriber.joined", "subscriber.rectified", "subscriber.erased",
		"subscriber.suppressed", "subscriber.unsuppressed", "subscriber.restricted", "subscriber.restriction_lifted",
		"subscriber.objected", "subscriber.objection_withdrawn",
		"consent.requested", "consent.given", "consent.confirmed", "consent.asserted", "consent.revoked",
	},
	Tables: []*projections.Table{people, members, lists, accounts, suppressions, tracked, retractions},
	Fold:   fold,
}

func fold(rows projections.Rows, events []event.Recorded) error {
	p := newPage(rows)
	for _, e := range events {
		if err := p.apply(e); err != nil {
			return err
		}
	}
	return p.flush()
}

func (p *page) apply(e event.Recorded) error {
	switch data := e.Data.(type) {
	case list.Created:
		return p.change(e, func(l *List) { l.Name, l.DoubleOptIn, l.CreatedAt = data.Name, data.DoubleOptIn, e.At })
	case list.Archived:
		return p.change(e, func(l *List) { l.Archived = true })
	}
	s, err := p.person(e.Meta.Account, e.Meta.Subject, e.Revision == 1)
	if err != nil {
		return err
	}
	if data, ok := e.Data.(subscriber.Added); ok {
		return p.added(s, e, data)
	}
	if !s.exists {
		return nil
	}
	was := s.tracking()
	if err := p.about(s, e); err != nil {
		return err
	}
	return p.retracted(s, was, e)
}

// about takes in what happened to somebody who is known.
func (p *page) about(s *person, e event.Recorded) error {
	s.dirty, s.changed = true, e.Position
	switch data := e.Data.(type) {
	case subscriber.Rectified:
		s.Email, s.Name, s.Attributes, s.SealedBy, s.Source = data.Email, data.Name, data.Attributes, e.ID, data.Source
		return nil
	case subscriber.Joined:
		return p.member(s, data.List, e, func(m *member) { m.joined = true })
	case subscriber.Erased:
		return p.erased(s)
	}
	if hold, begins := subscriber.Change(e.Data); hold != "" {
		return p.hold(s, hold, begins, e)
	}
	for key := range consent.Keys(e.Data) {
		if err := p.consent(s, key, e); err != nil {
			return err
		}
	}
	return nil
}

func (p *page) change(e event.Recorded, change func(*List)) error {
	id, err := projections.StreamID(e.Stream)
	if err != nil {
		return err
	}
	l, err := p.list(e.Meta.Account, id)
	if err == nil {
		change(l)
	}
	return err
}

func (p *page) added(s *person, e event.Recorded, data subscriber.Added) error {
	if !s.exists {
		n, err := p.people(e.Meta.Account)
		if err != nil {
			return err
		}
		*n++
		s.AddedAt = e.At
	}
	s.exists, s.dirty, s.changed = true, true, e.Position
	s.Email, s.Name, s.Attributes, s.SealedBy, s.Source = data.Email, data.Name, data.Attributes, e.ID, data.Source
	return nil
}

// consent follows the law (package consent) for one answer.
func (p *page) consent(s *person, key consent.Key, e event.Recorded) error {
	if key.Purpose.PerList() {
		return p.member(s, key.List, e, func(m *member) { m.apply(e) })
	}
	if i := purpose(key.Purpose); i >= 0 { // an unknown one allows nothing here
		s.answers[i].apply(e)
	}
	return nil
}

// member changes how the person stands to a list, and the list's counts.
func (p *page) member(s *person, id domain.ID, e event.Recorded, change func(*member)) error {
	l, err := p.list(s.Account, id)
	if err != nil {
		return err
	}
	m := s.on(id)
	if m == nil {
		s.members = append(s.members, member{list: id, since: e.At})
		m = &s.members[len(s.members)-1]
	} else {
		l.Counts.add(s.standing(m, l.DoubleOptIn), -1)
	}
	change(m)
	s.counted(m, l)
	return nil
}

// hold begins or ends what keeps mail from the person on every list.
func (p *page) hold(s *person, h subscriber.Hold, begins bool, e event.Recorded) error {
	on := make([]*List, len(s.members))
	for i := range s.members {
		l, err := p.list(s.Account, s.members[i].list)
		if err != nil {
			return err
		}
		l.Counts.add(s.standing(&s.members[i], l.DoubleOptIn), -1)
		on[i] = l
	}
	changed := s.change(h, begins, e)
	for i := range s.members {
		s.counted(&s.members[i], on[i])
	}
	switch {
	case !changed || !h.Suppresses():
		return nil
	case begins:
		return p.rows.Put(suppressions, projections.Row{s.Account[:], s.ID[:], string(h), projections.Micros(e.At)})
	default:
		return p.rows.Delete(suppressions, s.Account[:], s.ID[:], string(h))
	}
}

func (p *page) erased(s *person) error {
	if err := p.rows.Delete(suppressions, s.Account[:], s.ID[:]); err != nil {
		return err
	}
	for i := range s.members {
		l, err := p.list(s.Account, s.members[i].list)
		if err != nil {
			return err
		}
		l.Counts.add(s.standing(&s.members[i], l.DoubleOptIn), -1)
		if err := p.rows.Delete(members, s.members[i].list[:], s.ID[:]); err != nil {
			return err
		}
	}
	n, err := p.people(s.Account)
	if err != nil {
		return err
	}
	*n--
	if err := p.rows.Delete(tracked, s.ID[:]); err != nil {
		return err
	}
	*s = person{Person: Person{Account: s.Account, ID: s.ID}}
	return p.rows.Delete(people, s.Account[:], s.ID[:])
}

// add counts a member in or out.
func (c *Counts) add(s Standing, n int) {
	c.Members += n
	switch s {
	case Mailable:
		c.Mailable += n
	case Unconfirmed:
		c.Unconfirmed += n
	case Revoked:
		c.Revoked += n
	case Suppressed:
		c.Suppressed += n
	case Objected:
		c.Objected += n
	case Restricted:
		c.Restricted += n
	default:
		c.Silent += n
	}
}
