package bus

import (
	"context"
	"errors"
	"iter"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ThreeDotsLabs/watermill/message"

	"github.com/cleversender/cleversender/adapters/eventlog"
	"github.com/cleversender/cleversender/domain/event"
)

// counting yields pages 1, 2, 3 … up to last, then err or nothing more until ctx ends.
func counting(last event.Position, err error) Follow {
	return func(ctx context.Context, _ string) iter.Seq2[eventlog.RecordedPage, error] {
		return func(yield func(eventlog.RecordedPage, error) bool) {
			for next := event.Position(1); next <= last; next++ {
				if !yield(eventlog.RecordedPage{Next: next}, nil) {
					return
				}
			}
			if err != nil {
				yield(eventlog.RecordedPage{}, err)
				return
			}
			<-ctx.Done()
		}
	}
}

func next(t *testing.T, messages <-chan *message.Message) (*message.Message, event.Position) {
	t.Helper()
	msg, open := <-messages
	if !open {
		return nil, 0
	}
	page, ok := eventlog.PageOf(msg.Context())
	if !ok {
		t.Fatal("no page in the message's context")
	}
	return msg, page.Next
}

// One page is in flight: the next comes after Ack, the same one after Nack and a growing pause.
func TestAckAndNack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := NewLogSubscriber(counting(2, nil))
		messages, err := s.Subscribe(t.Context(), "topic")
		if err != nil {
			t.Fatal(err)
		}
		msg, at := next(t, messages)
		if at != 1 {
			t.Fatalf("page %d first", at)
		}
		synctest.Wait()
		select {
		case <-messages:
			t.Fatal("a second page in flight")
		default:
		}
		for _, pause := range []time.Duration{100 * time.Millisecond, 200 * time.Millisecond} {
			began := time.Now()
			msg.Nack()
			if msg, at = next(t, messages); at != 1 || time.Since(began) != pause {
				t.Fatalf("page %d after %v", at, time.Since(began))
			}
		}
		msg.Ack()
		if msg, at = next(t, messages); at != 2 {
			t.Fatalf("page %d", at)
		}
		msg.Ack()
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		if msg, _ := next(t, messages); msg != nil {
			t.Fatal("a message after Close")
		}
		if _, err := s.Subscribe(t.Context(), "topic"); !errors.Is(err, ErrClosed) {
			t.Fatal(err)
		}
	})
}

// A subscription ends with its context, a message in flight or not, and with its pages.
func TestEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		messages, err := NewLogSubscriber(counting(9, nil)).Subscribe(ctx, "topic")
		if err != nil {
			t.Fatal(err)
		}
		next(t, messages)
		cancel()
		if msg, _ := next(t, messages); msg != nil {
			t.Fatal("a message after the end")
		}
		messages, err = NewLogSubscriber(counting(0, errors.New("broken"))).Subscribe(t.Context(), "topic")
		if err != nil {
			t.Fatal(err)
		}
		if msg, _ := next(t, messages); msg != nil {
			t.Fatal("a message after an error")
		}
	})
}
