// Package bus is the event log as Watermill sees it.
//
// A message is a page of the log, in the message's context (eventlog.PageOf):
// nothing is encoded again. One message of a subscription is in flight at a
// time. Ack asks for the next page; Nack brings the same one again after a
// pause, for as long as it takes: a page is never skipped.
package bus

import (
	"context"
	"errors"
	"iter"
	"strconv"
	"sync"
	"time"

	"github.com/ThreeDotsLabs/watermill/message"
	"github.com/ThreeDotsLabs/watermill/message/router/middleware"

	"github.com/cleversender/cleversender/adapters/eventlog"
)

// Follow yields the pages of a topic, from wherever its reader has come to.
type Follow = func(ctx context.Context, topic string) iter.Seq2[eventlog.RecordedPage, error]

// LogSubscriber implements message.Subscriber.
type LogSubscriber struct {
	follow  Follow
	pause   func(nacks int) time.Duration
	closing chan struct{}
	close   sync.Once
	running sync.WaitGroup
}

var _ message.Subscriber = (*LogSubscriber)(nil)

// NewLogSubscriber subscribes by following.
func NewLogSubscriber(follow Follow) *LogSubscriber {
	return &LogSubscriber{follow: follow, pause: pause, closing: make(chan struct{})}
}

// pause before a page comes again: 100 ms, twice as long each time, 10 s at most.
func pause(nacks int) time.Duration { return min(100*time.Millisecond<<min(nacks, 7), 10*time.Second) }

// ErrClosed: the subscriber takes no more subscriptions.
var ErrClosed = errors.New("the subscriber is closed")

// Subscribe implements message.Subscriber. The channel closes when ctx ends, the subscriber is closed,
// or there is nothing more to follow, be it because of an error: whoever made follow knows.
func (s *LogSubscriber) Subscribe(ctx context.Context, topic string) (<-chan *message.Message, error) {
	select {
	case <-s.closing:
		return nil, ErrClosed
	default:
	}
	ctx, cancel := context.WithCancel(ctx)
	out := make(chan *message.Message)
	s.running.Go(func() {
		defer close(out)
		defer cancel()
		for page, err := range s.follow(ctx, topic) {
			if err != nil || !deliver(ctx, out, topic, page, s.pause) {
				return
			}
		}
	})
	s.running.Go(func() {
		defer cancel()
		select {
		case <-s.closing:
		case <-ctx.Done():
		}
	})
	return out, nil
}

// deliver sends a page until it is acknowledged; false: the subscription ends.
func deliver(ctx context.Context, out chan<- *message.Message, topic string, page eventlog.RecordedPage, pause func(int) time.Duration) bool {
	id := topic + "@" + strconv.FormatUint(uint64(page.Next), 10)
	for nacks := 0; ; nacks++ {
		msg := message.NewMessageWithContext(eventlog.WithPage(ctx, page), id, nil)
		middleware.SetCorrelationID(id, msg)
		select {
		case out <- msg:
		case <-ctx.Done():
			return false
		}
		select {
		case <-msg.Acked():
			return true
		case <-msg.Nacked():
		case <-ctx.Done():
			return false
		}
		select {
		case <-time.After(pause(nacks)):
		case <-ctx.Done():
			return false
		}
	}
}

// Close ends every subscription and waits for it.
func (s *LogSubscriber) Close() error {
	s.close.Do(func() { close(s.closing) })
	s.running.Wait()
	return nil
}
