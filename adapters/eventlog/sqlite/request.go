package sqlite

import (
	"github.com/cleversender/cleversender/adapters/eventlog"
)

// A request is what one caller waits for. Until done is closed it is the writer's.
type request struct {
	appends   []eventlog.Append
	envelopes [][][]byte // of each append's events; made by the caller, to keep the writer free
	events    int
	bytes     int
	results   []eventlog.Result
	errs      []error
	done      chan struct{}
}

func newRequest(as []eventlog.Append) *request {
	r := &request{
		appends: as, envelopes: make([][][]byte, len(as)),
		results: make([]eventlog.Result, len(as)), errs: make([]error, len(as)),
		done: make(chan struct{}),
	}
	for i := range as {
		a := &as[i]
		if r.errs[i] = a.Check(); r.errs[i] != nil {
			continue
		}
		r.envelopes[i] = envelopes(a)
		r.events += len(a.Events)
		for k := range a.Events {
			r.bytes += len(a.Events[k].Data)
		}
	}
	return r
}

func envelopes(a *eventlog.Append) [][]byte {
	out := make([][]byte, len(a.Events))
	buf := make([]byte, 0, len(a.Events)*(fixed+4*16+3+len(a.Stream)))
	for i := range a.Events {
		start := len(buf)
		buf = appendEnvelope(buf, &a.Events[i], a.Stream, a.Expect+1+uint64(i))
		out[i] = buf[start:len(buf):len(buf)]
	}
	return out
}
