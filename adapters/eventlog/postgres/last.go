package postgres

import (
	"github.com/cleversender/cleversender/adapters/eventlog/group"
	"github.com/cleversender/cleversender/domain/event"
)

// last is how this writer left the log. While it is the only one that writes,
// it need not ask for what it has written itself; the commit finds out when
// somebody else has.
type last struct {
	head    event.Position
	alone   bool              // nobody else wrote between its last two commits
	lengths map[string]uint64 // of streams, at head
}

// maxLengths bounds how many streams are remembered.
const maxLengths = 10_000

// store is what a plan of these appends needs to know; nil when that has to be asked.
func (l *last) store(streams []string, items []*group.Item[rows]) *store {
	if !l.alone {
		return nil
	}
	for _, name := range streams {
		if _, known := l.lengths[name]; !known {
			return nil
		}
	}
	for _, it := range items {
		if l.lengths[it.Append.Stream] > it.Append.Expect {
			return nil // which events are there has to be read
		}
	}
	return &store{lengths: l.lengths}
}

// wrote takes note of a commit, of a log that ended at head before, and of how
// long the streams that were asked for are now.
func (l *last) wrote(p *group.Plan[rows], head event.Position, s *store) {
	if l.alone = head == l.head; !l.alone || l.lengths == nil || len(l.lengths) > maxLengths {
		l.lengths = map[string]uint64{}
	}
	l.head = p.Head
	for name, length := range s.lengths {
		l.lengths[name] = length
	}
	for i := range p.Runs {
		r := &p.Runs[i]
		if name := r.Item.Append.Stream; r.Item.Append.Expect > 0 {
			l.lengths[name] = r.Revision() - 1 + uint64(len(r.Events()))
		}
	}
}

// forget: what is at the end of the log is not known any more.
func (l *last) forget() { *l = last{} }
