package bench

import (
	"encoding/json"
	"errors"
	"io"
	"sync"
	"time"

	"github.com/cleversender/cleversender/adapters/smtp/sink"
)

// taken is what a sink took since it was last asked.
type taken struct {
	URL         string // where it takes mail
	Messages    int
	Bytes       int64
	First, Last time.Time     // of the messages, to the millisecond
	CPU         time.Duration // of the sink's process
}

// serveSink takes mail, and says what it took whenever it is asked.
func serveSink(in *json.Decoder, out *json.Encoder) (err error) {
	s, err := sink.Listen(sink.Options{})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	w := watch{messages: s.Count, bytes: s.Bytes}
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	go func() {
		for now := range tick.C {
			w.look(now)
		}
	}()
	for {
		var question struct{}
		switch err := in.Decode(&question); {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		}
		t := w.since()
		t.URL = s.URL()
		if err := out.Encode(t); err != nil {
			return err
		}
	}
}

// watch sees from counters when the first and the last message came.
type watch struct {
	messages func() int
	bytes    func() int64

	mu   sync.Mutex
	seen int
	now  taken
	past taken // at the last asking
}

func (w *watch) look(now time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	n := w.messages()
	if n == w.seen {
		return
	}
	if w.now.First.IsZero() {
		w.now.First = now
	}
	w.seen, w.now.Last = n, now
}

// since is what was taken since the last asking.
func (w *watch) since() taken {
	w.look(time.Now())
	w.mu.Lock()
	defer w.mu.Unlock()
	all := taken{Messages: w.seen, Bytes: w.bytes(), CPU: cpuTime()}
	t := taken{
		Messages: all.Messages - w.past.Messages, Bytes: all.Bytes - w.past.Bytes, CPU: all.CPU - w.past.CPU,
		First: w.now.First, Last: w.now.Last,
	}
	w.past, w.now = all, taken{}
	return t
}
