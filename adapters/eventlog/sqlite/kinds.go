package sqlite

import (
	"maps"
	"slices"
	"strconv"
	"sync/atomic"
)

// kind is what is stored once for all events of a name and version.
type kind struct {
	name    string
	version int
}

// kinds maps kinds to their row in the database, both ways. The writer alone
// adds to it; readers see it as of some moment.
type kinds struct {
	now atomic.Pointer[kindset]
}

type kindset struct {
	ids   map[kind]int64
	kinds map[int64]kind
}

func (k *kinds) load() *kindset { return k.now.Load() }

// with returns the set and another kind, whose id is one more than the last.
func (s *kindset) with(k kind) *kindset {
	next := &kindset{maps.Clone(s.ids), maps.Clone(s.kinds)}
	id := int64(len(s.ids) + 1)
	next.ids[k], next.kinds[id] = id, k
	return next
}

// in is the SQL list of the ids of these names: "1,2,5"; "" when none was ever
// stored. It is sorted, so that the same names make the same statement.
func (s *kindset) in(types map[string]bool) string {
	var ids []int64
	for id, k := range s.kinds {
		if types[k.name] {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	var b []byte
	for i, id := range ids {
		if i > 0 {
			b = append(b, ',')
		}
		b = strconv.AppendInt(b, id, 10)
	}
	return string(b)
}
