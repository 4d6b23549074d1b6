// Package messages answers what became of single messages, and which have yet
// to leave. It names people by their ids alone.
package messages

import (
	"github.com/cleversender/cleversender/domain/delivery"
	"github.com/cleversender/cleversender/domain/event"
	"github.com/cleversender/cleversender/domain/message"
	"github.com/cleversender/cleversender/projections"
)

var all = &projections.Table{
	Name: "messages",
	Key:  []projections.Column{{Name: "account", Kind: projections.Bytes}, {Name: "message", Kind: projections.Bytes}},
	Values: []projections.Column{
		{Name: "newest", Kind: projections.Int}, // place in recent
		{Name: "person", Kind: projections.Bytes},
		{Name: "kind", Kind: projections.Text},
		{Name: "campaign", Kind: projections.Bytes},
		{Name: "template", Kind: projections.Bytes},
		{Name: "requested", Kind: projections.Int},
		{Name: "status", Kind: projections.Text},
		{Name: "since", Kind: projections.Int},
		{Name: "worker", Kind: projections.Bytes},
		{Name: "reason", Kind: projections.Text},
		{Name: "code", Kind: projections.Int},
		{Name: "enhanced", Kind: projections.Text},
		{Name: "tries", Kind: projections.Int},
		{Name: "knocks", Kind: projections.Int},
	},
}

var recent = projections.RecentTable("recent")

var ofCampaign = &projections.Table{
	Name: "of_campaign",
	Key: []projections.Column{
		{Name: "account", Kind: projections.Bytes}, {Name: "campaign", Kind: projections.Bytes}, {Name: "newest", Kind: projections.Int},
	},
	Values: []projections.Column{{Name: "message", Kind: projections.Bytes}},
}

// open is the messages of every account that wait for their turn, or for a result.
var open = &projections.Table{
	Name:   "open",
	Key:    []projections.Column{{Name: "message", Kind: projections.Bytes}},
	Values: []projections.Column{{Name: "account", Kind: projections.Bytes}},
}

// Projection is to be hosted.
var Projection = projections.Projection{
	Name: "messages", Version: 1,
	Types:  types(),
	Tables: []*projections.Table{all, recent, ofCampaign, open},
	Fold: func(rows projections.Rows, events []event.Recorded) error {
		for _, e := range events {
			if err := apply(rows, e); err != nil {
				return err
			}
		}
		return nil
	},
}

func types() []string {
	names := make([]string, len(message.Events))
	for i, t := range message.Events {
		names[i] = t.Name
	}
	return names
}

func apply(rows projections.Rows, e event.Recorded) error {
	id, err := projections.StreamID(e.Stream)
	if err != nil {
		return err
	}
	row, err := rows.Get(all, e.Meta.Account[:], id[:])
	if err != nil {
		return err
	}
	m := Message{Account: e.Meta.Account, ID: id, Person: e.Meta.Subject, RequestedAt: e.At, cursor: Cursor(projections.Newest(e.Position))}
	if row != nil {
		m = read(row)
	}
	m.take(e)
	if row == nil {
		if err := m.list(rows, e); err != nil {
			return err
		}
	}
	if m.Status.Due() || m.Status == message.Pending {
		err = rows.Put(open, projections.Row{id[:], m.Account[:]})
	} else {
		err = rows.Delete(open, id[:])
	}
	if err != nil {
		return err
	}
	return rows.Put(all, m.row())
}

// take folds one event.
func (m *Message) take(e event.Recorded) {
	data, ok := e.Data.(message.Event)
	if !ok {
		return
	}
	m.Status, m.Since = message.After(data), e.At
	m.Reason, m.Code, m.Enhanced = "", 0, ""
	switch data := data.(type) {
	case message.Requested:
		m.Kind, m.Campaign, m.Template = data.Kind, data.Campaign, data.Template
	case message.Intended:
		m.Worker = data.Worker
	case message.Withheld:
		m.Reason = data.Reason
	case message.Accepted:
		m.Code = data.Code
	case message.Deferred:
		m.Code, m.Enhanced = data.Code, data.Enhanced
		if data.Code == 0 {
			m.Knocks++
		} else {
			m.Tries++
		}
	case message.Failed:
		m.Reason, m.Code, m.Enhanced = data.Reason, data.Code, data.Enhanced
	}
}

// list makes the message findable.
func (m *Message) list(rows projections.Rows, e event.Recorded) error {
	if !m.Campaign.IsZero() {
		if err := rows.Put(ofCampaign, projections.Row{m.Account[:], m.Campaign[:], int64(m.cursor), m.ID[:]}); err != nil {
			return err
		}
	}
	return rows.Put(recent, projections.RecentRow(e, m.ID))
}

func (m *Message) row() projections.Row {
	return projections.Row{
		m.Account[:], m.ID[:], int64(m.cursor), m.Person[:], string(m.Kind), m.Campaign[:], m.Template[:],
		projections.Micros(m.RequestedAt), string(m.Status), projections.Micros(m.Since), m.Worker[:],
		string(m.Reason), int64(m.Code), m.Enhanced, int64(m.Tries), int64(m.Knocks),
	}
}

func read(r projections.Row) Message {
	return Message{
		Account: r.ID(0), ID: r.ID(1), cursor: Cursor(r[2].(int64)), Person: r.ID(3), Kind: message.Kind(r.Text(4)),
		Campaign: r.ID(5), Template: r.ID(6), RequestedAt: r.Time(7), Status: message.Status(r.Text(8)), Since: r.Time(9),
		Worker: r.ID(10), Reason: delivery.Reason(r.Text(11)), Code: r.Int(12), Enhanced: r.Text(13), Tries: r.Int(14), Knocks: r.Int(15),
	}
}
