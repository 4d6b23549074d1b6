// Package subjectindex answers which events concern whom. It knows people by
// their random ids alone, so it stays whole when one is erased: it is how one
// shows what can no longer be read.
package subjectindex

import (
	"encoding/binary"

	"github.com/cleversender/cleversender/domain"
	"github.com/cleversender/cleversender/domain/delivery"
	"github.com/cleversender/cleversender/domain/event"
	"github.com/cleversender/cleversender/projections"
)

// runs are a person's own events in one stretch of the log: what happens to
// somebody at one time is one row.
var runs = &projections.Table{
	Name:   "runs",
	Key:    []projections.Column{{Name: "person", Kind: projections.Bytes}, {Name: "stretch", Kind: projections.Int}},
	Values: []projections.Column{{Name: "offsets", Kind: projections.Bytes}}, // 2 bytes each, big-endian, growing
}

// places are the ordinals that people have in campaigns: events about many
// recipients are found by them (sends).
var places = &projections.Table{
	Name:   "places",
	Key:    []projections.Column{{Name: "person", Kind: projections.Bytes}, {Name: "campaign", Kind: projections.Bytes}},
	Values: []projections.Column{{Name: "ordinal", Kind: projections.Int}},
}

// stretch is how many positions a run has. Changing it is a new version.
const stretch = 1024

// Projection is to be hosted.
var Projection = projections.Projection{
	Name: "subject_index", Version: 2,
	Data:   []string{"segment.planned", "sends.intended", "sends.accepted"},
	Tables: []*projections.Table{runs, places, sends},
	Fold:   fold,
}

type runKey struct {
	person  domain.ID
	stretch int64
}

// fold reads only the stretch that an earlier page may have begun.
func fold(rows projections.Rows, events []event.Recorded) error {
	if len(events) == 0 {
		return nil
	}
	found := map[runKey][]byte{}
	begun := stretchOf(events[0].Position)
	for i := range events {
		e := &events[i]
		if err := shared(rows, e); err != nil {
			return err
		}
		if e.Meta.Subject.IsZero() {
			continue
		}
		key := runKey{e.Meta.Subject, stretchOf(e.Position)}
		offsets, ok := found[key]
		if !ok && key.stretch == begun {
			row, err := rows.Get(runs, key.person[:], key.stretch)
			if err != nil {
				return err
			}
			if row != nil {
				offsets = append(offsets, row.Bytes(2)...)
			}
		}
		found[key] = binary.BigEndian.AppendUint16(offsets, uint16(e.Position%stretch))
	}
	for key, offsets := range found {
		if err := rows.Put(runs, projections.Row{key.person[:], key.stretch, offsets}); err != nil {
			return err
		}
	}
	return nil
}

func stretchOf(p event.Position) int64 { return int64(p / stretch) }

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
