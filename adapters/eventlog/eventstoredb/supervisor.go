package eventstoredb

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/EventStore/EventStore-Client-Go/v4/esdb"
	"google.golang.org/grpc/metadata"
)

// supervisor keeps a client that works. The client by itself is dead for good
// once it has not found a server, lets callers wait for that without regard
// to their contexts, and panics when it is closed under a call. So:
//
//   - A new client is asked for nothing until one call has found a server.
//   - A call runs on a goroutine of its own and is left behind when its
//     context ends, or its time.
//   - After a call that failed for want of a connection the client gets no
//     more calls; it is closed when the last of those that it has returns.
type supervisor struct {
	config  *esdb.Configuration
	timeout time.Duration // of a call

	mu  sync.Mutex
	now *seat
}

// seat is a client and what is known of it.
type seat struct {
	client *esdb.Client
	found  chan struct{} // closed when it is known whether it has found a server
	err    error         // why it has not; after found

	mu      sync.Mutex
	calls   int
	retired bool
}

func (s *seat) enter() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.retired {
		return false
	}
	s.calls++
	return true
}

func (s *seat) leave() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calls--
	s.closeIfIdle()
}

func (s *seat) retire() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.retired {
		s.retired = true
		s.closeIfIdle()
	}
}

func (s *seat) closeIfIdle() {
	if s.retired && s.calls == 0 {
		_ = s.client.Close()
	}
}

// take returns a client that has found a server, with a call of the caller's
// on it.
func (v *supervisor) take(ctx context.Context) (*seat, error) {
	for {
		s, err := v.seat()
		if err != nil {
			return nil, err
		}
		select {
		case <-s.found:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
		if s.err != nil {
			v.retire(s)
			return nil, sorted(s.err)
		}
		if s.enter() {
			return s, nil
		}
		v.retire(s)
	}
}

// seat returns the present client, or makes one.
func (v *supervisor) seat() (*seat, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.now != nil {
		return v.now, nil
	}
	client, err := esdb.NewClient(v.config)
	if err != nil {
		return nil, err
	}
	s := &seat{client: client, found: make(chan struct{}), calls: 1}
	v.now = s
	go func() { // it takes as long as the URL's settings for discovery say
		defer s.leave()
		_, s.err = client.GetServerVersion()
		close(s.found)
	}()
	return s, nil
}

// retire has nobody begin anything with a client any more.
func (v *supervisor) retire(s *seat) {
	v.mu.Lock()
	if v.now == s {
		v.now = nil
	}
	v.mu.Unlock()
	s.retire()
}

var errTimeout = errors.New("no answer in time")

// call runs f with a client until it ends, its time is over, or ctx ends. The
// context that f gets ends with the call. f may go on when call has returned,
// so it touches nothing that the caller then uses.
func (v *supervisor) call(ctx context.Context, f func(context.Context, *esdb.Client) error) error {
	ctx, cancel := context.WithTimeoutCause(ctx, v.timeout, errTimeout)
	defer cancel()
	s, err := v.take(ctx)
	if err != nil {
		return ended(ctx, err)
	}
	done := make(chan error, 1)
	go func() {
		defer s.leave()
		done <- sorted(f(fromLeader(ctx), s.client))
	}()
	select {
	case err = <-done:
	case <-ctx.Done():
		select { // gRPC ends with the context too; only the client itself hangs
		case err = <-done:
		case <-time.After(grace):
			err = ctx.Err()
			v.retire(s)
		}
	}
	if broken(err) {
		v.retire(s)
	}
	return ended(ctx, err)
}

// grace is how long a call whose context has ended may take to return.
const grace = 100 * time.Millisecond

// ended is err, or that the context ended first: the caller's is the caller's,
// but the call's own time can be had again.
func ended(ctx context.Context, err error) error {
	switch {
	case err == nil || ctx.Err() == nil || !isInterrupted(err):
		return err
	case errors.Is(context.Cause(ctx), errTimeout):
		return interrupted{errTimeout, true}
	default:
		return ctx.Err()
	}
}

func isInterrupted(err error) bool {
	return errors.Is(err, errInterrupted) || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)
}

// fromLeader asks for the leader: the client means to, and does not.
func fromLeader(ctx context.Context) context.Context {
	return metadata.AppendToOutgoingContext(ctx, "requires-leader", "true")
}

// subscribe begins a subscription. The client is the subscription's until the
// caller leaves the seat. ctx is the subscription's own: whoever gets an error ends it.
func (v *supervisor) subscribe(ctx context.Context, options esdb.SubscribeToAllOptions) (*esdb.Subscription, *seat, error) {
	limited, cancel := context.WithTimeoutCause(ctx, v.timeout, errTimeout)
	defer cancel()
	s, err := v.take(limited)
	if err != nil {
		return nil, nil, ended(limited, err)
	}
	type begun struct {
		it  *esdb.Subscription
		err error
	}
	done := make(chan begun, 1)
	go func() {
		it, err := s.client.SubscribeToAll(fromLeader(ctx), options)
		done <- begun{it, sorted(err)}
	}()
	select {
	case b := <-done:
		if b.err == nil {
			return b.it, s, nil
		}
		s.leave()
		if broken(b.err) {
			v.retire(s)
		}
		return nil, nil, ended(limited, b.err)
	case <-limited.Done():
		go func() {
			<-done
			s.leave()
		}()
		v.retire(s)
		return nil, nil, ended(limited, limited.Err())
	}
}

// close ends the client, once its calls have ended.
func (v *supervisor) close() {
	v.mu.Lock()
	s := v.now
	v.mu.Unlock()
	if s != nil {
		v.retire(s)
	}
}
