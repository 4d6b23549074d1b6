package group

import (
	"maps"
	"slices"
	"sync/atomic"

	"github.com/cleversender/cleversender/adapters/eventlog"
)

// Kind is what is stored once for all events of a name and version.
type Kind struct {
	Name    string
	Version int
}

// Kinds maps kinds to their row in the database, both ways. Whoever makes
// rows changes it; readers see it as of some moment.
type Kinds struct {
	now atomic.Pointer[Kindset]
}

// Grow replaces the set, unless it holds more.
func (k *Kinds) Grow(s *Kindset) {
	for {
		old := k.now.Load()
		if old != nil && len(old.IDs) >= len(s.IDs) || k.now.CompareAndSwap(old, s) {
			return
		}
	}
}

// Kindset is kinds as they were at some moment; nobody changes it.
type Kindset struct {
	IDs   map[Kind]int64
	Kinds map[int64]Kind
}

// Load returns the newest set.
func (k *Kinds) Load() *Kindset { return k.now.Load() }

// Store replaces the set.
func (k *Kinds) Store(s *Kindset) { k.now.Store(s) }

// NewKindset makes a set without kinds.
func NewKindset() *Kindset { return &Kindset{map[Kind]int64{}, map[int64]Kind{}} }

// Add is for sets that nobody else has seen so far.
func (s *Kindset) Add(id int64, k Kind) { s.IDs[k], s.Kinds[id] = id, k }

// With returns the set and another kind, whose id is one more than the last.
func (s *Kindset) With(k Kind) *Kindset {
	next := &Kindset{maps.Clone(s.IDs), maps.Clone(s.Kinds)}
	next.Add(int64(len(s.IDs)+1), k)
	return next
}

// Of is the ids of the kinds of these names, and of those that are not known,
// in order; none when none was ever stored.
func (s *Kindset) Of(types map[string]bool, known eventlog.Known) []int64 {
	var ids []int64
	for id, k := range s.Kinds {
		if types[k.Name] || known.Strange(k.Name, k.Version) {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return ids
}
