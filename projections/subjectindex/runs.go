package subjectindex

import (
	"bytes"
	"context"
	"encoding/binary"

	"github.com/cleversender/cleversender/domain"
	"github.com/cleversender/cleversender/domain/event"
	"github.com/cleversender/cleversender/projections"
)

// runs are the events of people's own, in the order of the log: a row has those
// in one block, of a 512th of the people. So a thousand events of people in no
// order change rows that lie side by side.
var runs = &projections.Table{
	Name:   "runs",
	Key:    []projections.Column{{Name: "block", Kind: projections.Int}, {Name: "people", Kind: projections.Int}},
	Values: []projections.Column{{Name: "runs", Kind: projections.Bytes}},
}

// last is one row: the number of the last block, from 0, and how many runs it has.
var last = &projections.Table{
	Name:   "last",
	Key:    []projections.Column{{Name: "id", Kind: projections.Int}},
	Values: []projections.Column{{Name: "block", Kind: projections.Int}, {Name: "runs", Kind: projections.Int}},
}

// Changing one of these is a new version. A row of runs has 24 of them, in 600
// bytes, once its block is full: SQLite takes up to 1,000 without a page of its own.
const (
	blockRuns = 24 * kinds
	kinds     = 512 // of people, by the end of their ids: at least 256, since runs leave out the last byte

	// A run is up to 255 events of one person at positions that follow each other:
	// the id but for its last byte, the first position, and how many there are.
	idSize  = len(domain.ID{}) - 1
	runSize = idSize + 8 + 1
)

func kindOf(person domain.ID) int { return int(binary.BigEndian.Uint16(person[idSize-1:])) % kinds }

// page collects the runs of the last block.
type page struct {
	rows        projections.Rows
	block, runs int64
	old         bool // earlier pages have written to the block
	more        bool // there are more runs than before
	own         [kinds][]byte
}

func begin(rows projections.Rows) (*page, error) {
	p := &page{rows: rows}
	row, err := rows.Get(last, int64(0))
	if row != nil {
		p.block, p.runs, p.old = row[1].(int64), row[2].(int64), true
	}
	return p, err
}

func (p *page) add(person domain.ID, at event.Position) error {
	kind := kindOf(person)
	if p.old && p.own[kind] == nil {
		row, err := p.rows.Get(runs, p.block, int64(kind))
		if err != nil {
			return err
		}
		if row != nil {
			p.own[kind] = bytes.Clone(row.Bytes(2))
		}
	}
	own := p.own[kind]
	if n := len(own) - runSize; n >= 0 && isOf(own[n:], person) {
		first, many := runAt(own[n:])
		if first+many == at && many < 255 {
			own[len(own)-1]++
			return nil
		}
	}
	p.more = true
	own = append(own, person[:idSize]...)
	p.own[kind] = append(binary.BigEndian.AppendUint64(own, uint64(at)), 1)
	if p.runs++; p.runs < blockRuns {
		return nil
	}
	if err := p.put(); err != nil {
		return err
	}
	*p = page{rows: p.rows, block: p.block + 1, more: true}
	return nil
}

func (p *page) put() error {
	for kind, own := range p.own {
		if own == nil {
			continue
		}
		if err := p.rows.Put(runs, projections.Row{p.block, int64(kind), own}); err != nil {
			return err
		}
	}
	return nil
}

func (p *page) end() error {
	if err := p.put(); err != nil || !p.more {
		return err
	}
	return p.rows.Put(last, projections.Row{int64(0), p.block, p.runs})
}

func isOf(run []byte, person domain.ID) bool { return bytes.Equal(run[:idSize], person[:idSize]) }

func runAt(run []byte) (first, many event.Position) {
	return event.Position(binary.BigEndian.Uint64(run[idSize:])), event.Position(run[runSize-1])
}

// own lists the events of a person's own, in log order.
func own(ctx context.Context, r projections.Reader, person domain.ID) (all []event.Position, err error) {
	end, err := r.Get(ctx, last, int64(0))
	if err != nil || end == nil {
		return nil, err
	}
	const many = 1024
	var keys [][]any
	for block := int64(0); block <= end[1].(int64); {
		for keys = keys[:0]; block <= end[1].(int64) && len(keys) < many; block++ {
			keys = append(keys, []any{block, int64(kindOf(person))})
		}
		rows, err := r.GetMany(ctx, runs, keys)
		if err != nil {
			return nil, err
		}
		for _, row := range rows {
			if row != nil {
				all = appendOwn(all, person, row.Bytes(2))
			}
		}
	}
	return all, nil
}

func appendOwn(all []event.Position, person domain.ID, runs []byte) []event.Position {
	for ; len(runs) >= runSize; runs = runs[runSize:] {
		if !isOf(runs, person) {
			continue
		}
		first, many := runAt(runs)
		for i := range many {
			all = append(all, first+i)
		}
	}
	return all
}
