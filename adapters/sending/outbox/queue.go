package outbox

import (
	"container/heap"
	"time"

	"github.com/cleversender/cleversender/domain"
)

// item is a message that waits for its turn.
type item struct {
	account, message, person domain.ID
	requested, due           time.Time
	tries                    int // after which it was deferred
}

// queue is items, the earliest due first. The zero queue is empty.
type queue struct {
	items byDue
	of    map[domain.ID]int // how many items a message has, those under way included
}

// put queues an item.
func (q *queue) put(it item) {
	if q.of == nil {
		q.of = map[domain.ID]int{}
	}
	q.of[it.message]++
	heap.Push(&q.items, it)
}

// first is the earliest; not ok: there is none.
func (q *queue) first() (it item, ok bool) {
	if len(q.items) == 0 {
		return it, false
	}
	return q.items[0], true
}

// take gives the earliest back, which is under way until it is done.
func (q *queue) take() item { return heap.Pop(&q.items).(item) }

func (q *queue) done(it item) {
	if q.of[it.message]--; q.of[it.message] == 0 {
		delete(q.of, it.message)
	}
}

func (q *queue) has(id domain.ID) bool { return q.of[id] > 0 }

type byDue []item

// Len implements heap.Interface.
func (q byDue) Len() int { return len(q) }

// Less implements heap.Interface.
func (q byDue) Less(i, j int) bool { return q[i].due.Before(q[j].due) }

// Swap implements heap.Interface.
func (q byDue) Swap(i, j int) { q[i], q[j] = q[j], q[i] }

// Push implements heap.Interface.
func (q *byDue) Push(x any) { *q = append(*q, x.(item)) }

// Pop implements heap.Interface.
func (q *byDue) Pop() any {
	last := len(*q) - 1
	it := (*q)[last]
	*q = (*q)[:last]
	return it
}
