package esdbtest

import (
	"errors"
	"fmt"
	"io"
	"strconv"

	"github.com/EventStore/EventStore-Client-Go/v4/protos/shared"
	"github.com/EventStore/EventStore-Client-Go/v4/protos/streams"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
)

// Append implements Streams: the events of one stream, a message each.
func (n *node) Append(st streams.Streams_AppendServer) error {
	ctx := st.Context()
	if err := n.fault(ctx, Call{Method: "Append", Stage: Asked}); err != nil {
		return err
	}
	if err := n.admit(ctx, st.SetTrailer); err != nil {
		return err
	}
	first, err := st.Recv()
	if err != nil {
		return err
	}
	stream := string(first.GetOptions().GetStreamIdentifier().GetStreamName())
	expected := int64(anyRevision)
	switch v := first.GetOptions().GetExpectedStreamRevision().(type) {
	case *streams.AppendReq_Options_Revision:
		expected = int64(v.Revision)
	case *streams.AppendReq_Options_NoStream:
		expected = noStream
	case *streams.AppendReq_Options_StreamExists:
		expected = streamExists
	}
	events, err := n.receive(st)
	if err != nil {
		return err
	}
	out := n.cluster.store.write(stream, expected, events)
	if err := n.fault(ctx, Call{Method: "Append", Stage: Done}); err != nil {
		return err
	}
	switch {
	case out.gone:
		return deleted(st.SetTrailer, stream)
	case !out.ok:
		return st.SendAndClose(&streams.AppendResp{Result: &streams.AppendResp_WrongExpectedVersion_{WrongExpectedVersion: wrongVersion(expected, out.current)}})
	}
	return st.SendAndClose(&streams.AppendResp{Result: &streams.AppendResp_Success_{Success: &streams.AppendResp_Success{
		CurrentRevisionOption: &streams.AppendResp_Success_CurrentRevision{CurrentRevision: uint64(out.last)},
		PositionOption:        &streams.AppendResp_Success_Position{Position: &streams.AppendResp_Position{CommitPosition: out.at, PreparePosition: out.at}},
	}}})
}

// receive takes an append's events; more than the limit is refused while they
// are still being sent.
func (n *node) receive(st streams.Streams_AppendServer) (events []*record, err error) {
	size := 0
	for {
		m, err := st.Recv()
		if errors.Is(err, io.EOF) {
			return events, nil
		}
		if err != nil {
			return nil, err
		}
		if err := n.fault(st.Context(), Call{Method: "Append", Stage: Receives}); err != nil {
			return nil, err
		}
		p := m.GetProposedMessage()
		e := &record{id: p.Id, system: p.Metadata, custom: p.CustomMetadata, data: p.Data}
		if size += e.size(); size > n.cluster.limit {
			return nil, refused(st.SetTrailer, codes.InvalidArgument, fmt.Sprintf("Maximum Append Size of %d Exceeded.", n.cluster.limit),
				"exception", "maximum-append-size-exceeded", "maximum-append-size", strconv.Itoa(n.cluster.limit))
		}
		events = append(events, e)
	}
}

func deleted(trailer func(metadata.MD), stream string) error {
	return refused(trailer, codes.FailedPrecondition, "Event stream '"+stream+"' is deleted.",
		"exception", "stream-deleted", "stream-name", stream)
}

// wrongVersion is an answer like any other: the call succeeds.
func wrongVersion(expected, current int64) *streams.AppendResp_WrongExpectedVersion {
	w := &streams.AppendResp_WrongExpectedVersion{CurrentRevisionOption: &streams.AppendResp_WrongExpectedVersion_CurrentNoStream{CurrentNoStream: &shared.Empty{}}}
	if current >= 0 {
		w.CurrentRevisionOption = &streams.AppendResp_WrongExpectedVersion_CurrentRevision{CurrentRevision: uint64(current)}
	}
	switch expected {
	case anyRevision:
		w.ExpectedRevisionOption = &streams.AppendResp_WrongExpectedVersion_ExpectedAny{ExpectedAny: &shared.Empty{}}
	case streamExists:
		w.ExpectedRevisionOption = &streams.AppendResp_WrongExpectedVersion_ExpectedStreamExists{ExpectedStreamExists: &shared.Empty{}}
	case noStream:
		w.ExpectedRevisionOption = &streams.AppendResp_WrongExpectedVersion_ExpectedNoStream{ExpectedNoStream: &shared.Empty{}}
	default:
		w.ExpectedRevisionOption = &streams.AppendResp_WrongExpectedVersion_ExpectedRevision{ExpectedRevision: uint64(expected)}
	}
	return w
}
