package eventstoredb

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"time"

	"github.com/cleversender/cleversender/adapters/eventlog"
	"github.com/cleversender/cleversender/domain/event"
)

// Follow implements eventlog.Log.
func (l *Log) Follow(ctx context.Context, after event.Position, types []string, batch int) iter.Seq2[eventlog.Page, error] {
	if batch <= 0 {
		batch = defaultBatch
	}
	return func(yield func(eventlog.Page, error) bool) {
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		defer context.AfterFunc(l.closing, cancel)()
		f := follower{log: l, after: after, batch: batch, wait: firstWait}
		if types != nil {
			f.types = map[string]bool{}
			for _, name := range types {
				f.types[name] = true
			}
		}
		err := f.run(ctx, func(p eventlog.Page) bool { return ctx.Err() == nil && yield(p, nil) })
		if err != nil && ctx.Err() == nil && !errors.Is(err, eventlog.ErrClosed) {
			yield(eventlog.Page{}, fmt.Errorf("follow: %w", err))
		}
	}
}

// follower is one that follows.
type follower struct {
	log   *Log
	after event.Position
	types map[string]bool // nil: all
	batch int
	told  bool          // it has had a page
	wait  time.Duration // before it tries again
}

// run ends without an error when yield wants no more.
func (f *follower) run(ctx context.Context, yield func(eventlog.Page) bool) error {
	for {
		if err := f.log.live(ctx); err != nil {
			if err = f.again(ctx, err); err != nil {
				return err
			}
			continue
		}
		page, grown, ok, err := f.log.tail.page(f.after, f.types, f.batch)
		switch {
		case err != nil:
			return err
		case !ok:
			if more, err := f.catchUp(ctx, yield); !more || err != nil {
				return err
			}
		case page.Next > f.after || !f.told:
			if !f.give(page, yield) {
				return nil
			}
		default:
			select {
			case <-grown:
			case <-ctx.Done():
				return nil
			}
		}
	}
}

func (f *follower) give(page eventlog.Page, yield func(eventlog.Page) bool) bool {
	f.after, f.told, f.wait = page.Next, true, firstWait
	return yield(page)
}

// again waits before the next try, unless err is one that stays.
func (f *follower) again(ctx context.Context, err error) error {
	if !errors.Is(err, errInterrupted) {
		return err
	}
	wait := f.wait
	f.wait = min(2*wait, lastWait)
	return f.log.pause(ctx, wait)
}

// catchUp follows by a subscription of its own until what comes next is in
// memory, or that was the end of the log.
func (f *follower) catchUp(ctx context.Context, yield func(eventlog.Page) bool) (more bool, err error) {
	ctx, cancel := context.WithCancel(ctx)
	out, done := make(chan arrival), make(chan error, 1)
	go func(after event.Position) { done <- f.log.session(ctx, after, f.types, f.batch, out) }(f.after)
	defer func() {
		cancel()
		if err == nil {
			<-done // until it has let go of its connection
		}
	}()
	for {
		select {
		case a := <-out:
			came := a.moved && a.next > f.after
			if came && !f.give(eventlog.Page{Events: a.events, Next: a.next}, yield) {
				return false, nil
			}
			since, _ := f.log.tail.bounds()
			switch {
			case f.after >= since:
				return true, nil
			case a.caughtUp && !came: // the server is behind; it would say so at once again
				return true, f.again(ctx, interrupted{errTimeout, false})
			case a.caughtUp:
				return true, nil
			}
		case err := <-done:
			done <- nil
			if err = f.again(ctx, err); err != nil {
				return false, err
			}
			return true, nil
		}
	}
}

// live has the tail run.
func (l *Log) live(ctx context.Context) error {
	if l.tail.runs() {
		return nil
	}
	head, err := l.Head(ctx)
	if err != nil {
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return eventlog.ErrClosed
	}
	if l.tail.start(head) {
		l.work.Go(l.keepUp)
	}
	return nil
}

// keepUp brings the tail what the log grows by, one subscription after the
// other, until the log is closed or an error stays.
func (l *Log) keepUp() {
	wait := firstWait
	for l.closing.Err() == nil {
		_, head := l.tail.bounds()
		out, done := make(chan arrival), make(chan error, 1)
		go func() { done <- l.session(l.closing, head, nil, defaultBatch, out) }()
		var err error
		for going := true; going; {
			select {
			case a := <-out:
				l.tail.push(a.events)
				wait = firstWait
			case err = <-done:
				going = false
			}
		}
		if l.closing.Err() != nil {
			return
		}
		if !errors.Is(err, errInterrupted) {
			l.tail.fail(err)
			return
		}
		if l.pause(l.closing, wait) != nil {
			return
		}
		wait = min(2*wait, lastWait)
	}
}
