package esdbtest

import (
	"context"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// Stage is how far a call has come when it fails.
type Stage int

// Stages.
const (
	Asked    Stage = iota // nothing has been done
	Receives              // an append's event has been received
	Done                  // it has been done, and not been answered
	Sends                 // a read is about to send its next message
)

// Call is a call on its way through a node.
type Call struct {
	Node   int
	Method string // Append, BatchAppend, Read, Subscribe, Delete, Tombstone, Gossip, GetSupportedMethods
	Stage  Stage
}

// Fault is what becomes of a call; the zero one lets it be.
type Fault struct {
	Drop  bool          // its connection is closed
	Err   error         // it ends with this gRPC status
	Delay time.Duration // it waits first
}

// Faults decides what becomes of each call.
type Faults func(Call) Fault

// Fail has calls fail from now on; nil lets all be.
func (c *Cluster) Fail(f Faults) { c.faults.Store(&f) }

var errDropped = status.Error(codes.Unavailable, "the connection was dropped")

func (n *node) fault(ctx context.Context, call Call) error {
	f := n.cluster.faults.Load()
	if f == nil || *f == nil {
		return nil
	}
	call.Node = n.number
	it := (*f)(call)
	if it.Delay > 0 {
		select {
		case <-time.After(it.Delay):
		case <-ctx.Done():
			return status.FromContextError(ctx.Err()).Err()
		}
	}
	if it.Drop {
		n.cut(ctx)
		return errDropped
	}
	return it.Err
}
