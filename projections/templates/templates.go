// Package templates answers which templates there are.
package templates

import (
	"github.com/cleversender/cleversender/domain/event"
	"github.com/cleversender/cleversender/domain/template"
	"github.com/cleversender/cleversender/projections"
)

var templates = &projections.Table{
	Name: "templates",
	Key:  []projections.Column{{Name: "account", Kind: projections.Bytes}, {Name: "template", Kind: projections.Bytes}},
	Values: []projections.Column{
		{Name: "newest", Kind: projections.Int}, // place in recent
		{Name: "name", Kind: projections.Text},
		{Name: "subject", Kind: projections.Text},
		{Name: "html", Kind: projections.Text},
		{Name: "text", Kind: projections.Text},
		{Name: "revision", Kind: projections.Int},
		{Name: "created", Kind: projections.Int},
		{Name: "edited", Kind: projections.Int},
	},
}

var recent = projections.RecentTable("recent")

// Projection is to be hosted.
var Projection = projections.Projection{
	Name: "templates", Version: 1,
	Types:  []string{"template.created", "template.edited"},
	Tables: []*projections.Table{templates, recent},
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
	newest, created := projections.Newest(e.Position), projections.Micros(e.At)
	row, err := rows.Get(templates, e.Meta.Account[:], id[:])
	switch {
	case err != nil:
		return err
	case row != nil:
		newest, created = row[2].(int64), row[8].(int64)
	default:
		if err := rows.Put(recent, projections.RecentRow(e, id)); err != nil {
			return err
		}
	}
	var name string
	var content template.Content
	switch data := e.Data.(type) {
	case template.Created:
		name, content = data.Name, data.Content
	case template.Edited:
		name, content = data.Name, data.Content
	}
	return rows.Put(templates, projections.Row{
		e.Meta.Account[:], id[:], newest, name, content.Subject, content.HTML, content.Text,
		int64(e.Revision), created, projections.Micros(e.At),
	})
}
