// Package dkimkeys answers which keys an account's domains sign their mail with.
package dkimkeys

import (
	"slices"

	"github.com/cleversender/cleversender/domain/event"
	"github.com/cleversender/cleversender/domain/signing"
	"github.com/cleversender/cleversender/projections"
)

var keys = &projections.Table{
	Name: "keys",
	Key: []projections.Column{
		{Name: "account", Kind: projections.Bytes}, {Name: "domain", Kind: projections.Bytes}, {Name: "selector", Kind: projections.Text},
	},
	Values: []projections.Column{
		{Name: "name", Kind: projections.Text}, // of the domain
		{Name: "algorithm", Kind: projections.Text},
		{Name: "public", Kind: projections.Text},
		{Name: "created", Kind: projections.Int},
		{Name: "activated", Kind: projections.Int},
		{Name: "retired", Kind: projections.Int},
	},
}

// Projection is to be hosted.
var Projection = projections.Projection{
	Name: "dkim_keys", Version: 1,
	Types:  []string{"dkim.key_created", "dkim.key_activated", "dkim.key_retired"},
	Tables: []*projections.Table{keys},
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
	switch data := e.Data.(type) {
	case signing.KeyCreated:
		return rows.Put(keys, projections.Row{
			e.Meta.Account[:], id[:], data.Selector, data.Domain, string(data.Algorithm), data.PublicKey, projections.Micros(e.At), int64(0), int64(0),
		})
	case signing.KeyActivated:
		return stamp(rows, e, id, data.Selector, 7)
	case signing.KeyRetired:
		return stamp(rows, e, id, data.Selector, 8)
	}
	return nil
}

// stamp notes when something happened to a key.
func stamp(rows projections.Rows, e event.Recorded, id signing.ID, selector string, column int) error {
	row, err := rows.Get(keys, e.Meta.Account[:], id[:], selector)
	if err != nil || row == nil {
		return err
	}
	row = slices.Clone(row)
	row[column] = projections.Micros(e.At)
	return rows.Put(keys, row)
}
