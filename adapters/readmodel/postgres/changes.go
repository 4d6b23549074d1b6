package postgres

import (
	"github.com/cleversender/cleversender/adapters/readmodel"
	"github.com/cleversender/cleversender/domain/event"
	"github.com/cleversender/cleversender/projections"
)

// changes are rows by table and encoded key, as COPY takes them.
type changes struct {
	any    bool
	next   event.Position
	rows   map[*projections.Table]map[string]tuple
	chunk  []byte // where rows are put next
	poison []readmodel.Poison
	size   int // bytes in memory, about
}

const chunkSize = 64 << 10

func newChanges() changes {
	return changes{rows: map[*projections.Table]map[string]tuple{}}
}

func (c *changes) put(t *projections.Table, key string, row projections.Row) {
	rows := c.rows[t]
	if rows == nil {
		rows = map[string]tuple{}
		c.rows[t] = rows
	}
	n := tupleSize(row)
	if cap(c.chunk)-len(c.chunk) < n {
		c.chunk = make([]byte, 0, max(n, chunkSize))
	}
	start := len(c.chunk)
	c.chunk = appendTuple(c.chunk, row)
	c.size += n
	if _, ok := rows[key]; !ok {
		c.size += len(key) + 64
	}
	rows[key] = c.chunk[start:len(c.chunk):len(c.chunk)]
}
