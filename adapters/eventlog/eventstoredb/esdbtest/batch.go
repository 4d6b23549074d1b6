package esdbtest

import (
	"context"
	"errors"
	"io"

	"github.com/EventStore/EventStore-Client-Go/v4/protos/shared"
	"github.com/EventStore/EventStore-Client-Go/v4/protos/streams"
	"google.golang.org/genproto/googleapis/rpc/status"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/anypb"
	"google.golang.org/protobuf/types/known/emptypb"
)

// parts is an append that is not complete yet.
type parts struct {
	options *streams.BatchAppendReq_Options
	events  []*record
	size    int
}

// BatchAppend implements Streams: many appends in one call, each answered by
// its correlation id, errors packed into the answer.
func (n *node) BatchAppend(st streams.Streams_BatchAppendServer) error {
	ctx := st.Context()
	if err := n.fault(ctx, Call{Method: "BatchAppend", Stage: Asked}); err != nil {
		return err
	}
	if err := n.admit(ctx, st.SetTrailer); err != nil {
		return err
	}
	open := map[string]*parts{}
	for {
		m, err := st.Recv()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if err := n.fault(ctx, Call{Method: "BatchAppend", Stage: Receives}); err != nil {
			return err
		}
		key := parsed(m.CorrelationId).String()
		if m.Options != nil {
			open[key] = &parts{options: m.Options}
		}
		p := open[key]
		if p == nil {
			continue
		}
		for _, e := range m.ProposedMessages {
			r := &record{id: e.Id, system: e.Metadata, custom: e.CustomMetadata, data: e.Data}
			p.events, p.size = append(p.events, r), p.size+r.size()
		}
		if !m.IsFinal {
			continue
		}
		delete(open, key)
		if err := n.finish(ctx, st, m.CorrelationId, p); err != nil {
			return err
		}
	}
}

// finish writes an append and answers it.
func (n *node) finish(ctx context.Context, st streams.Streams_BatchAppendServer, id *shared.UUID, p *parts) error {
	answer := &streams.BatchAppendResp{CorrelationId: id, StreamIdentifier: p.options.StreamIdentifier}
	if n.cluster.Leader() != n.number {
		answer.Result = packed(codes.Unavailable, "Leader info available", &shared.Unknown{})
		return st.Send(answer)
	}
	if p.size > n.cluster.limit {
		answer.Result = packed(codes.InvalidArgument, "Maximum Append Size Exceeded", &shared.MaximumAppendSizeExceeded{MaxAppendSize: uint32(n.cluster.limit)})
		return st.Send(answer)
	}
	expected := int64(anyRevision)
	switch v := p.options.ExpectedStreamPosition.(type) {
	case *streams.BatchAppendReq_Options_StreamPosition:
		expected = int64(v.StreamPosition)
	case *streams.BatchAppendReq_Options_NoStream:
		expected = noStream
	case *streams.BatchAppendReq_Options_StreamExists:
		expected = streamExists
	}
	out := n.cluster.store.write(string(p.options.StreamIdentifier.StreamName), expected, p.events)
	if err := n.fault(ctx, Call{Method: "BatchAppend", Stage: Done}); err != nil {
		return err
	}
	switch {
	case out.gone:
		answer.Result = packed(codes.FailedPrecondition, "Stream is deleted", &shared.StreamDeleted{StreamIdentifier: p.options.StreamIdentifier})
	case !out.ok:
		answer.Result = packed(codes.FailedPrecondition, "Wrong expected version", packedVersion(expected, out.current))
	default:
		answer.Result = &streams.BatchAppendResp_Success_{Success: &streams.BatchAppendResp_Success{
			CurrentRevisionOption: &streams.BatchAppendResp_Success_CurrentRevision{CurrentRevision: uint64(out.last)},
			PositionOption:        &streams.BatchAppendResp_Success_Position{Position: &shared.AllStreamPosition{CommitPosition: out.at, PreparePosition: out.at}},
		}}
	}
	return st.Send(answer)
}

// packed is google.rpc.Status, of which this protocol has one detail.
func packed(code codes.Code, message string, detail proto.Message) *streams.BatchAppendResp_Error {
	s := &status.Status{Code: int32(code), Message: message}
	if it, err := anypb.New(detail); err == nil {
		s.Details = []*anypb.Any{it}
	}
	return &streams.BatchAppendResp_Error{Error: s}
}

func packedVersion(expected, current int64) *shared.WrongExpectedVersion {
	w := &shared.WrongExpectedVersion{CurrentStreamRevisionOption: &shared.WrongExpectedVersion_CurrentNoStream{CurrentNoStream: &emptypb.Empty{}}}
	if current >= 0 {
		w.CurrentStreamRevisionOption = &shared.WrongExpectedVersion_CurrentStreamRevision{CurrentStreamRevision: uint64(current)}
	}
	switch expected {
	case anyRevision:
		w.ExpectedStreamPositionOption = &shared.WrongExpectedVersion_ExpectedAny{ExpectedAny: &emptypb.Empty{}}
	case streamExists:
		w.ExpectedStreamPositionOption = &shared.WrongExpectedVersion_ExpectedStreamExists{ExpectedStreamExists: &emptypb.Empty{}}
	case noStream:
		w.ExpectedStreamPositionOption = &shared.WrongExpectedVersion_ExpectedNoStream{ExpectedNoStream: &emptypb.Empty{}}
	default:
		w.ExpectedStreamPositionOption = &shared.WrongExpectedVersion_ExpectedStreamPosition{ExpectedStreamPosition: uint64(expected)}
	}
	return w
}
