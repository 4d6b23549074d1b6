// Package imports answers which files were imported and what was left out.
package imports

import (
	"strings"

	"github.com/cleversender/cleversender/domain"
	"github.com/cleversender/cleversender/domain/consent"
	"github.com/cleversender/cleversender/domain/contactimport"
	"github.com/cleversender/cleversender/domain/event"
	"github.com/cleversender/cleversender/projections"
)

var imports = &projections.Table{
	Name: "imports",
	Key:  []projections.Column{{Name: "account", Kind: projections.Bytes}, {Name: "import", Kind: projections.Bytes}},
	Values: []projections.Column{
		{Name: "newest", Kind: projections.Int}, // place in recent
		{Name: "list", Kind: projections.Bytes},
		{Name: "purposes", Kind: projections.Text}, // with commas between
		{Name: "source", Kind: projections.Text},
		{Name: "status", Kind: projections.Text},
		{Name: "code", Kind: projections.Text},
		{Name: "line", Kind: projections.Int},
		{Name: "bytes", Kind: projections.Int},
		{Name: "sha256", Kind: projections.Text},
		{Name: "added", Kind: projections.Int},
		{Name: "updated", Kind: projections.Int},
		{Name: "unchanged", Kind: projections.Int},
		{Name: "suppressed", Kind: projections.Int},
		{Name: "rejected", Kind: projections.Int},
		{Name: "held_back", Kind: projections.Int},
		{Name: "started", Kind: projections.Int},
		{Name: "ended", Kind: projections.Int},
	},
}

// rejects are the rows that were left out; one line may be there more than once.
var rejects = &projections.Table{
	Name: "rejects",
	Key: []projections.Column{
		{Name: "import", Kind: projections.Bytes}, {Name: "line", Kind: projections.Int}, {Name: "column", Kind: projections.Text},
	},
	Values: []projections.Column{{Name: "code", Kind: projections.Text}},
}

var recent = projections.RecentTable("recent")

// Projection is to be hosted.
var Projection = projections.Projection{
	Name: "imports", Version: 2,
	Types:  []string{"import.started", "import.rows_rejected", "import.progressed", "import.finished", "import.failed"},
	Tables: []*projections.Table{imports, rejects, recent},
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
	if data, ok := e.Data.(contactimport.RowsRejected); ok {
		return rejected(rows, id, data)
	}
	row, err := rows.Get(imports, e.Meta.Account[:], id[:])
	if err != nil {
		return err
	}
	i := Import{Account: e.Meta.Account, ID: id, StartedAt: e.At, cursor: Cursor(projections.Newest(e.Position))}
	if row != nil {
		i = read(row)
	} else if err := rows.Put(recent, projections.RecentRow(e, id)); err != nil {
		return err
	}
	i.apply(e)
	return rows.Put(imports, i.row())
}

func (i *Import) apply(e event.Recorded) {
	switch data := e.Data.(type) {
	case contactimport.Started:
		i.Status, i.List, i.Purposes, i.Source = Running, data.List, data.Purposes, data.Source
	case contactimport.Progressed:
		i.Line, i.Bytes, i.SHA256, i.Counts = data.Line, data.Bytes, data.SHA256, data.Counts
	case contactimport.Finished:
		i.Status, i.EndedAt = Finished, e.At
		i.Line, i.Bytes, i.SHA256, i.Counts = data.Line, data.Bytes, data.SHA256, data.Counts
	case contactimport.Failed:
		i.Status, i.EndedAt, i.Code, i.Line, i.Counts = Failed, e.At, data.Code, data.Line, data.Counts
	}
}

func rejected(rows projections.Rows, id domain.ID, data contactimport.RowsRejected) error {
	for _, r := range data.Rows {
		if err := rows.Put(rejects, projections.Row{id[:], int64(r.Line), r.Column, r.Code}); err != nil {
			return err
		}
	}
	return nil
}

func (i *Import) row() projections.Row {
	purposes := make([]string, len(i.Purposes))
	for k, p := range i.Purposes {
		purposes[k] = string(p)
	}
	c := i.Counts
	return projections.Row{
		i.Account[:], i.ID[:], int64(i.cursor), i.List[:], strings.Join(purposes, ","), i.Source, string(i.Status), i.Code,
		int64(i.Line), i.Bytes, i.SHA256,
		int64(c.Added), int64(c.Updated), int64(c.Unchanged), int64(c.Suppressed), int64(c.Rejected), int64(c.HeldBack),
		projections.Micros(i.StartedAt), projections.Micros(i.EndedAt),
	}
}

func read(r projections.Row) Import {
	i := Import{
		Account: r.ID(0), ID: r.ID(1), cursor: Cursor(r[2].(int64)), List: r.ID(3), Source: r.Text(5),
		Status: Status(r.Text(6)), Code: r.Text(7), Line: r.Int(8), Bytes: r[9].(int64), SHA256: r.Text(10),
		Counts: contactimport.Counts{
			Added: r.Int(11), Updated: r.Int(12), Unchanged: r.Int(13), Suppressed: r.Int(14), Rejected: r.Int(15), HeldBack: r.Int(16),
		},
		StartedAt: r.Time(17), EndedAt: r.Time(18),
	}
	if text := r.Text(4); text != "" {
		for p := range strings.SplitSeq(text, ",") {
			i.Purposes = append(i.Purposes, consent.Purpose(p))
		}
	}
	return i
}
