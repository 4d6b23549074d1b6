package esdbtest

import (
	"slices"

	"github.com/EventStore/EventStore-Client-Go/v4/protos/shared"
	"github.com/EventStore/EventStore-Client-Go/v4/protos/streams"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// Read implements Streams: reads of a stream or of $all, and subscriptions to $all.
func (n *node) Read(r *streams.ReadReq, st streams.Streams_ReadServer) error {
	o := r.Options
	method := "Read"
	if o.GetSubscription() != nil {
		method = "Subscribe"
	}
	if err := n.fault(st.Context(), Call{Method: method, Stage: Asked}); err != nil {
		return err
	}
	if err := n.admit(st.Context(), st.SetTrailer); err != nil {
		return err
	}
	out := sender{st, n, method}
	switch {
	case o.UuidOption == nil:
		return status.Error(codes.InvalidArgument, "'uuidOption' is a required argument")
	case method == "Subscribe" && o.GetAll() != nil:
		return n.subscribe(o, out)
	case o.GetSubscription() != nil:
		return status.Error(codes.Unimplemented, "a subscription to a stream")
	case o.GetAll() != nil:
		return n.readAll(o, out)
	default:
		return n.readStream(o, out)
	}
}

// sender sends a read's messages, and fails as the test wants it to.
type sender struct {
	streams.Streams_ReadServer
	node   *node
	method string
}

func (s sender) send(r *streams.ReadResp) error {
	if err := s.node.fault(s.Context(), Call{Method: s.method, Stage: Sends}); err != nil {
		return err
	}
	return s.Send(r)
}

func (s sender) event(e *record) error {
	return s.send(&streams.ReadResp{Content: &streams.ReadResp_Event{Event: &streams.ReadResp_ReadEvent{
		Event: &streams.ReadResp_ReadEvent_RecordedEvent{
			Id: e.id, StreamIdentifier: &shared.StreamIdentifier{StreamName: []byte(e.stream)}, StreamRevision: e.revision,
			CommitPosition: e.position, PreparePosition: e.position, Metadata: e.system, CustomMetadata: e.custom, Data: e.data,
		},
		Position: &streams.ReadResp_ReadEvent_CommitPosition{CommitPosition: e.position},
	}}})
}

func (n *node) readStream(o *streams.ReadReq_Options, out sender) error {
	id := o.GetStream().GetStreamIdentifier()
	if len(id.GetStreamName()) == 0 {
		return status.Error(codes.InvalidArgument, "'streamName' is a required argument")
	}
	events, gone, ok := n.cluster.store.readable(string(id.StreamName))
	switch {
	case gone:
		return deleted(out.SetTrailer, string(id.StreamName))
	case !ok:
		return out.send(&streams.ReadResp{Content: &streams.ReadResp_StreamNotFound_{StreamNotFound: &streams.ReadResp_StreamNotFound{StreamIdentifier: id}}})
	}
	back := o.ReadDirection == streams.ReadReq_Options_Backwards
	if v, ok := o.GetStream().RevisionOption.(*streams.ReadReq_Options_StreamOptions_Revision); ok {
		first := slices.IndexFunc(events, func(e *record) bool { return e.revision >= v.Revision })
		switch {
		case back && first >= 0:
			events = events[:first+1]
		case !back && first >= 0:
			events = events[first:]
		case !back:
			events = nil
		}
	}
	return each(events, back, o.GetCount(), out.event)
}

func (n *node) readAll(o *streams.ReadReq_Options, out sender) error {
	events, _ := n.cluster.store.all()
	back := o.ReadDirection == streams.ReadReq_Options_Backwards
	switch from := o.GetAll().AllOption.(type) {
	case *streams.ReadReq_Options_AllOptions_Position:
		i, exact := place(events, from.Position.CommitPosition)
		switch {
		case !exact:
			return errPosition
		case back:
			events = events[:i]
		default:
			events = events[i:]
		}
	case *streams.ReadReq_Options_AllOptions_End:
		if !back {
			events = nil
		}
	}
	return each(events, back, o.GetCount(), out.event)
}

var errPosition = status.Error(codes.InvalidArgument, "Invalid position")

// each sends at most count events, the last first when back.
func each(events []*record, back bool, count uint64, send func(*record) error) error {
	for i := range events {
		if uint64(i) == count {
			return nil
		}
		e := events[i]
		if back {
			e = events[len(events)-1-i]
		}
		if err := send(e); err != nil {
			return err
		}
	}
	return nil
}
