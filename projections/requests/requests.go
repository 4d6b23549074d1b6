// Package requests answers what data subjects asked for, and by when. It names
// people by their ids alone, so it stays whole when one is erased: it is the
// record of that.
package requests

import (
	"github.com/cleversender/cleversender/domain"
	"github.com/cleversender/cleversender/domain/event"
	"github.com/cleversender/cleversender/domain/privacyrequest"
	"github.com/cleversender/cleversender/projections"
)

var requests = &projections.Table{
	Name: "requests",
	Key:  []projections.Column{{Name: "account", Kind: projections.Bytes}, {Name: "request", Kind: projections.Bytes}},
	Values: []projections.Column{
		{Name: "newest", Kind: projections.Int}, // place in recent
		{Name: "person", Kind: projections.Bytes},
		{Name: "kind", Kind: projections.Text},
		{Name: "received", Kind: projections.Int},
		{Name: "due", Kind: projections.Int},
		{Name: "fulfilled", Kind: projections.Int},
		{Name: "position", Kind: projections.Int}, // of an access, so are the next two
		{Name: "events", Kind: projections.Int},
		{Name: "sha256", Kind: projections.Text},
		{Name: "redaction", Kind: projections.Bytes}, // of an erasure, so are the next three
		{Name: "keys", Kind: projections.Int},
		{Name: "unreadable", Kind: projections.Int},
		{Name: "suppressed", Kind: projections.Int},
		{Name: "hold", Kind: projections.Bytes}, // of a restriction or an objection
	},
}

var recent = projections.RecentTable("recent")

// open is the requests of every account that are not fulfilled, by due time.
var open = &projections.Table{
	Name:   "open",
	Key:    []projections.Column{{Name: "due", Kind: projections.Int}, {Name: "request", Kind: projections.Bytes}},
	Values: []projections.Column{{Name: "account", Kind: projections.Bytes}},
}

var ofPerson = &projections.Table{
	Name: "of_person",
	Key: []projections.Column{
		{Name: "account", Kind: projections.Bytes}, {Name: "person", Kind: projections.Bytes}, {Name: "request", Kind: projections.Bytes},
	},
}

// Projection is to be hosted.
var Projection = projections.Projection{
	Name: "requests", Version: 2,
	Types:  []string{"request.received", "request.access_fulfilled", "request.erasure_fulfilled", "request.restriction_fulfilled", "request.objection_fulfilled"},
	Tables: []*projections.Table{requests, recent, open, ofPerson},
	Fold: func(rows projections.Rows, events []event.Recorded) error {
		for _, e := range events {
			if err := apply(rows, e); err != nil {
				return err
			}
		}
		return nil
	},
}

func apply(rows projections.Rows, e event.Recorded) error {
	id, err := projections.StreamID(e.Stream)
	if err != nil {
		return err
	}
	row, err := rows.Get(requests, e.Meta.Account[:], id[:])
	if err != nil {
		return err
	}
	q := Request{Account: e.Meta.Account, ID: id, Person: e.Meta.Subject, cursor: Cursor(projections.Newest(e.Position))}
	if row != nil {
		q = read(row)
	} else if err := q.list(rows, e); err != nil {
		return err
	}
	switch data := e.Data.(type) {
	case privacyrequest.Received:
		q.Kind, q.ReceivedAt, q.Due = data.Kind, e.At, data.Due
		err = rows.Put(open, projections.Row{projections.Micros(q.Due), id[:], q.Account[:]})
	case privacyrequest.AccessFulfilled:
		q.FulfilledAt, q.Access = e.At, data
		err = rows.Delete(open, projections.Micros(q.Due), id[:])
	case privacyrequest.ErasureFulfilled:
		q.FulfilledAt, q.Erasure = e.At, data
		err = rows.Delete(open, projections.Micros(q.Due), id[:])
	case privacyrequest.RestrictionFulfilled:
		q.FulfilledAt, q.Hold = e.At, data.Hold
		err = rows.Delete(open, projections.Micros(q.Due), id[:])
	case privacyrequest.ObjectionFulfilled:
		q.FulfilledAt, q.Hold = e.At, data.Hold
		err = rows.Delete(open, projections.Micros(q.Due), id[:])
	}
	if err != nil {
		return err
	}
	return rows.Put(requests, q.row())
}

// list makes the request findable.
func (q *Request) list(rows projections.Rows, e event.Recorded) error {
	if err := rows.Put(recent, projections.RecentRow(e, q.ID)); err != nil {
		return err
	}
	return rows.Put(ofPerson, projections.Row{q.Account[:], q.Person[:], q.ID[:]})
}

func (q *Request) row() projections.Row {
	return projections.Row{
		q.Account[:], q.ID[:], int64(q.cursor), q.Person[:], string(q.Kind),
		projections.Micros(q.ReceivedAt), projections.Micros(q.Due), projections.Micros(q.FulfilledAt),
		int64(q.Access.Position), int64(q.Access.Events), q.Access.SHA256,
		q.Erasure.Redaction[:], int64(q.Erasure.Keys), int64(q.Erasure.Events), projections.Flag(q.Erasure.Suppressed), q.Hold[:],
	}
}

func read(r projections.Row) Request {
	return Request{
		Account: r.ID(0), ID: r.ID(1), cursor: Cursor(r[2].(int64)), Person: r.ID(3), Kind: privacyrequest.Kind(r.Text(4)),
		ReceivedAt: r.Time(5), Due: r.Time(6), FulfilledAt: r.Time(7),
		Access:  privacyrequest.AccessFulfilled{Position: r.Position(8), Events: r.Int(9), SHA256: r.Text(10)},
		Erasure: privacyrequest.ErasureFulfilled{Redaction: domain.ID(r.Bytes(11)), Keys: r.Int(12), Events: r.Int(13), Suppressed: r.Bool(14)},
		Hold:    domain.ID(r.Bytes(15)),
	}
}
