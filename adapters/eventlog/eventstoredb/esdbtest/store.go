package esdbtest

import (
	"encoding/json"
	"math"
	"sort"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/EventStore/EventStore-Client-Go/v4/protos/shared"
)

// record is an event of the log.
type record struct {
	id       *shared.UUID
	stream   string
	revision uint64
	position uint64 // commit and prepare: they are the same on modern servers
	system   map[string]string
	custom   []byte
	data     []byte
}

func (r *record) size() int { return len(r.data) + len(r.custom) + len(r.system["type"]) }

// history is one stream.
type history struct {
	events   []*record
	from     uint64 // $tb: revisions before it are no longer read
	keep     uint64 // $maxCount; 0: all
	gone     bool   // by a tombstone
	finished bool   // deleted, but for what may be appended yet
}

// store is the log that the nodes share.
type store struct {
	mu      sync.Mutex
	log     []*record
	streams map[string]*history
	next    uint64
	grown   chan struct{} // closed when the log grows
}

// newStore makes a log as a new server has it: with events of the system.
func newStore() *store {
	s := &store{streams: map[string]*history{}, next: 4096, grown: make(chan struct{})}
	for _, e := range []struct{ stream, typ string }{{"$users", "$UserCreated"}, {"$settings", "settings"}, {"$users", "$UserCreated"}} {
		s.put(e.stream, []*record{{id: newID(), system: map[string]string{"type": e.typ, "content-type": "application/json"}, data: []byte("{}")}})
	}
	return s
}

// What an append may expect, besides a revision.
const (
	noStream     = -1
	anyRevision  = -2
	streamExists = -4
)

// outcome is what became of an append.
type outcome struct {
	ok      bool // written, or known to have been
	gone    bool // the stream has a tombstone
	known   bool // it was a retry
	current int64
	last    int64 // revision of the last event
	at      uint64
}

// write appends as the server does: whether the events are known already is
// looked at before whether they are expected there.
func (s *store) write(stream string, expected int64, events []*record) outcome {
	s.mu.Lock()
	defer s.mu.Unlock()
	h := s.history(stream)
	if h.gone {
		return outcome{gone: true}
	}
	current := int64(len(h.events)) - 1
	from := expected + 1
	switch {
	case expected == streamExists && current < 0:
		return outcome{current: current}
	case expected == noStream && h.finished:
		from = current + 1
	case expected == anyRevision, expected == streamExists:
		from = current + 1
		for i := current; i >= 0 && i > current-1000 && len(events) > 0; i-- { // the server knows the latest only
			if same(h.events[i].id, events[0].id) {
				from = i
			}
		}
	}
	if from > current+1 || len(events) == 0 {
		return outcome{current: current}
	}
	if from <= current {
		for i, e := range events {
			if at := from + int64(i); at > current || !same(h.events[at].id, e.id) {
				return outcome{current: current}
			}
		}
		last := from + int64(len(events)) - 1
		return outcome{ok: true, known: true, current: current, last: last, at: h.events[last].position}
	}
	s.put(stream, events)
	if h.finished {
		h.finished, h.from = false, uint64(from)
	}
	if name, ok := strings.CutPrefix(stream, "$$"); ok {
		s.describe(name, events[len(events)-1].data)
	}
	last := events[len(events)-1]
	return outcome{ok: true, current: current, last: int64(last.revision), at: last.position}
}

func (s *store) history(stream string) *history {
	h := s.streams[stream]
	if h == nil {
		h = &history{}
		s.streams[stream] = h
	}
	return h
}

// put adds events: each is a record of its own, as far behind the last as that is long.
func (s *store) put(stream string, events []*record) {
	h, now := s.history(stream), strconv.FormatInt(time.Now().UnixNano()/100, 10)
	for _, e := range events {
		e.stream, e.revision, e.position = stream, uint64(len(h.events)), s.next
		e.system["created"] = now
		s.next += uint64(100 + e.size())
		h.events, s.log = append(h.events, e), append(s.log, e)
	}
	close(s.grown)
	s.grown = make(chan struct{})
}

// describe has a stream's metadata take effect.
func (s *store) describe(stream string, data []byte) {
	var said struct {
		Before uint64 `json:"$tb"`
		Count  uint64 `json:"$maxCount"`
	}
	if json.Unmarshal(data, &said) != nil {
		return
	}
	h := s.history(stream)
	h.from, h.keep, h.finished = said.Before, said.Count, said.Before == math.MaxInt64
}

// delete ends a stream; its events stay in $all until a server has scavenged.
func (s *store) delete(stream string, expected int64, forGood bool) outcome {
	s.mu.Lock()
	h := s.history(stream)
	current := int64(len(h.events)) - 1
	out := outcome{gone: h.gone, current: current}
	if h.gone || expected >= noStream && expected != current || expected == streamExists && current < 0 {
		s.mu.Unlock()
		return out
	}
	e := &record{id: newID(), system: map[string]string{"type": "$streamDeleted", "content-type": "application/octet-stream"}}
	if forGood {
		s.put(stream, []*record{e})
		h.gone = true
		s.mu.Unlock()
		return outcome{ok: true, at: e.position}
	}
	s.mu.Unlock()
	e.system = map[string]string{"type": "$metadata", "content-type": "application/json"}
	e.data = []byte(`{"$tb":9223372036854775807}`)
	return s.write("$$"+stream, anyRevision, []*record{e})
}

// readable is a stream as its metadata lets it be read; ok is false when it is
// not there.
func (s *store) readable(stream string) (events []*record, gone, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	h := s.streams[stream]
	if h == nil || len(h.events) == 0 || h.finished {
		return nil, h != nil && h.gone, false
	}
	from := min(h.from, uint64(len(h.events)))
	if n := uint64(len(h.events)); h.keep > 0 && n-from > h.keep {
		from = n - h.keep
	}
	return h.events[from:], h.gone, true
}

// all is the log so far, and what is closed when there is more.
func (s *store) all() ([]*record, <-chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.log, s.grown
}

// place finds a position: the index of the first record there or behind, and
// whether it is a record's own, or the end.
func place(log []*record, position uint64) (index int, exact bool) {
	i := sort.Search(len(log), func(i int) bool { return log[i].position >= position })
	return i, i == len(log) || log[i].position == position
}
