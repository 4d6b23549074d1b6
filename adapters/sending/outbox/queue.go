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
}

// queue is items, the earliest due first.
type queue []item

// Len implements heap.Interface.
func (q queue) Len() int { return len(q) }

// Less implements heap.Interface.
func (q queue) Less(i, j int) bool { return q[i].due.Before(q[j].due) }

// Swap implements heap.Interface.
func (q queue) Swap(i, j int) { q[i], q[j] = q[j], q[i] }

// Push implements heap.Interface.
func (q *queue) Push(x any) { *q = append(*q, x.(item)) }

// Pop implements heap.Interface.
func (q *queue) Pop() any {
	last := len(*q) - 1
	it := (*q)[last]
	*q = (*q)[:last]
	return it
}

// put queues an item; take gives the earliest back.
func (q *queue) put(it item) { heap.Push(q, it) }
func (q *queue) take() item  { return heap.Pop(q).(item) }
