// Package subjectindex answers which events concern whom. It knows people by
// their random ids alone, so it stays whole when one is erased: it is how one
// shows what can no longer be read.
package subjectindex

import (
	"github.com/cleversender/cleversender/domain/delivery"
	"github.com/cleversender/cleversender/domain/event"
	"github.com/cleversender/cleversender/projections"
)

// places are the ordinals that people have in campaigns: events about many
// recipients are found by them (sends).
var places = &projections.Table{
	Name:   "places",
	Key:    []projections.Column{{Name: "person", Kind: projections.Bytes}, {Name: "campaign", Kind: projections.Bytes}},
	Values: []projections.Column{{Name: "ordinal", Kind: projections.Int}},
}

// Projection is to be hosted.
var Projection = projections.Projection{
	Name: "subject_index", Version: 3,
	Data:   []string{"segment.planned", "sends.intended", "sends.accepted"},
	Tables: []*projections.Table{runs, last, places, sends},
	Fold:   fold,
}

func fold(rows projections.Rows, events []event.Recorded) error {
	p, err := begin(rows)
	if err != nil {
		return err
	}
	for i := range events {
		e := &events[i]
		if err := shared(rows, e); err != nil {
			return err
		}
		if e.Meta.Subject.IsZero() {
			continue
		}
		if err := p.add(e.Meta.Subject, e.Position); err != nil {
			return err
		}
	}
	return p.end()
}

// shared takes in an event about many recipients of a campaign.
func shared(rows projections.Rows, e *event.Recorded) error {
	switch data := e.Data.(type) {
	case delivery.Planned:
		for i, person := range data.Subjects {
			if err := rows.Put(places, projections.Row{person[:], data.Campaign[:], int64(data.First + i)}); err != nil {
				return err
			}
		}
	case delivery.Intended:
		return sent(rows, e.Position, data.Campaign, data.Ordinals)
	case delivery.Accepted:
		return sent(rows, e.Position, data.Campaign, data.Ordinals)
	}
	return nil
}
