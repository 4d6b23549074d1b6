package esdbtest

import (
	"context"
	"strconv"

	"github.com/EventStore/EventStore-Client-Go/v4/protos/streams"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
)

// Delete implements Streams: the stream is gone until it is appended to.
func (n *node) Delete(ctx context.Context, r *streams.DeleteReq) (*streams.DeleteResp, error) {
	expected := int64(anyRevision)
	switch v := r.Options.ExpectedStreamRevision.(type) {
	case *streams.DeleteReq_Options_Revision:
		expected = int64(v.Revision)
	case *streams.DeleteReq_Options_NoStream:
		expected = noStream
	case *streams.DeleteReq_Options_StreamExists:
		expected = streamExists
	}
	out, err := n.end(ctx, "Delete", string(r.Options.StreamIdentifier.StreamName), expected, false)
	if err != nil {
		return nil, err
	}
	return &streams.DeleteResp{PositionOption: &streams.DeleteResp_Position_{Position: &streams.DeleteResp_Position{CommitPosition: out.at, PreparePosition: out.at}}}, nil
}

// Tombstone implements Streams: the stream is gone for ever.
func (n *node) Tombstone(ctx context.Context, r *streams.TombstoneReq) (*streams.TombstoneResp, error) {
	expected := int64(anyRevision)
	switch v := r.Options.ExpectedStreamRevision.(type) {
	case *streams.TombstoneReq_Options_Revision:
		expected = int64(v.Revision)
	case *streams.TombstoneReq_Options_NoStream:
		expected = noStream
	case *streams.TombstoneReq_Options_StreamExists:
		expected = streamExists
	}
	out, err := n.end(ctx, "Tombstone", string(r.Options.StreamIdentifier.StreamName), expected, true)
	if err != nil {
		return nil, err
	}
	return &streams.TombstoneResp{PositionOption: &streams.TombstoneResp_Position_{Position: &streams.TombstoneResp_Position{CommitPosition: out.at, PreparePosition: out.at}}}, nil
}

// end deletes; here a wrong expected version is an error of the call, with trailers.
func (n *node) end(ctx context.Context, method, stream string, expected int64, forGood bool) (outcome, error) {
	trailer := func(md metadata.MD) { _ = grpc.SetTrailer(ctx, md) }
	if err := n.fault(ctx, Call{Method: method, Stage: Asked}); err != nil {
		return outcome{}, err
	}
	if err := n.admit(ctx, trailer); err != nil {
		return outcome{}, err
	}
	out := n.cluster.store.delete(stream, expected, forGood)
	switch {
	case out.gone:
		return outcome{}, deleted(trailer, stream)
	case !out.ok:
		return outcome{}, refused(trailer, codes.FailedPrecondition, "Wrong expected version", "exception", "wrong-expected-version",
			"stream-name", stream, "expected-version", strconv.FormatInt(expected, 10), "actual-version", strconv.FormatInt(out.current, 10))
	}
	return out, nil
}
