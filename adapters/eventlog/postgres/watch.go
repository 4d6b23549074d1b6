package postgres

import (
	"context"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/cleversender/cleversender/domain/event"
)

const (
	pollEvery  = time.Second
	watchBatch = 1000
)

// hint says that the log goes as far as head.
func (l *Log) hint(head event.Position) {
	for known := l.hinted.Load(); uint64(head) > known; known = l.hinted.Load() {
		if l.hinted.CompareAndSwap(known, uint64(head)) {
			break
		}
	}
	nudge(l.hints)
}

// look has the database asked how far the log goes.
func (l *Log) look() { nudge(l.looks) }

func nudge(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default: // it has been
	}
}

// watch is the goroutine that keeps the tail up with what other processes
// append: one reader for all followers. It ends with ctx.
func (l *Log) watch(ctx context.Context) {
	defer l.ended.Done()
	poll := time.NewTicker(pollEvery)
	defer poll.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-l.hints:
			l.advance(ctx, event.Position(l.hinted.Load()))
			continue
		case <-l.looks:
		case <-poll.C:
		}
		seen := l.tail.Position()
		head, err := l.head(ctx)
		switch {
		case err != nil: // for good: the next time may be better
		case head < seen:
			l.tail.Fail(ErrRewound)
		default:
			l.advance(ctx, head)
		}
	}
}

// advance brings the tail to head, by what it lacks or by leaving that out: a
// follower who needs it reads it alone.
func (l *Log) advance(ctx context.Context, head event.Position) {
	for at := l.tail.Position(); at < head; at = l.tail.Position() {
		if l.followers.Load() == 0 || head-at > event.Position(l.keep) {
			l.tail.Restart(head)
			return
		}
		page, err := (&pager{l, watchBatch}).read(ctx, at, head, nil, watchBatch)
		switch {
		case err != nil:
			return
		case len(page.Events) == 0:
			l.tail.Fail(ErrRewound)
			return
		}
		l.tail.Push(page.Events)
	}
}

// listen is the goroutine that hears when other processes have appended. That
// it hears is a hint only: without, they are found by polling. It ends with ctx.
func (l *Log) listen(ctx context.Context) {
	defer l.ended.Done()
	for wait := firstWait; ; wait = min(2*wait, maxWait) {
		if heard := l.hear(ctx); heard {
			wait = firstWait
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(wait):
		}
	}
}

// hear listens until the connection breaks.
func (l *Log) hear(ctx context.Context) (heard bool) {
	conn, err := pgx.ConnectConfig(ctx, l.at.base)
	if err != nil {
		return false
	}
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }()
	if _, err := conn.Exec(ctx, "LISTEN "+l.at.schema); err != nil {
		return false
	}
	l.look()
	for {
		n, err := conn.WaitForNotification(ctx)
		if err != nil {
			return heard
		}
		heard = true
		if head, err := strconv.ParseUint(n.Payload, 10, 63); err == nil {
			l.hint(event.Position(head))
		}
	}
}
