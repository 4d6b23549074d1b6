package eventstoredb

import (
	"context"
	"sync"
	"time"

	"github.com/EventStore/EventStore-Client-Go/v4/esdb"
	"github.com/EventStore/EventStore-Client-Go/v4/protos/shared"
	"github.com/EventStore/EventStore-Client-Go/v4/protos/streams"
	"github.com/google/uuid"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/emptypb"

	"github.com/cleversender/cleversender/domain/event"
)

// pipe sends appends by BatchAppend, the server's call for many, which the
// client does not have: over a connection of its own to the leader.
type pipe struct {
	config  *esdb.Configuration
	timeout time.Duration // until an append is answered

	mu     sync.Mutex
	now    *line
	leader string // as a server has named it; "": to be found
}

// line is one BatchAppend call.
type line struct {
	conn   *grpc.ClientConn
	call   streams.Streams_BatchAppendClient
	cancel context.CancelFunc
	ready  chan struct{} // closed when it is open
	ended  chan struct{} // closed when it takes and answers no more

	sending sync.Mutex
	mu      sync.Mutex
	waiting map[uuid.UUID]chan<- answer
	err     error // why it has ended
}

type answer struct {
	position event.Position
	err      error
}

// write is the writer of bulks.
func (p *pipe) write(ctx context.Context, stream string, expect uint64, events []esdb.EventData) (event.Position, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, p.timeout, errTimeout)
	defer cancel()
	ln, err := p.line(ctx)
	if err != nil {
		return 0, ended(ctx, err)
	}
	id, answered := uuid.New(), make(chan answer, 1)
	ln.mu.Lock()
	ln.waiting[id] = answered
	ln.mu.Unlock()
	go ln.send(requests(id, stream, expect, events, p.timeout))
	select {
	case a := <-answered:
		return a.position, a.err
	case <-ln.ended:
		select {
		case a := <-answered:
			return a.position, a.err
		default:
			return 0, ln.err
		}
	case <-ctx.Done():
		err := ended(ctx, ctx.Err())
		if broken(err) {
			p.end(ln, err)
		}
		ln.mu.Lock()
		delete(ln.waiting, id)
		ln.mu.Unlock()
		return 0, err
	}
}

func (ln *line) send(parts []*streams.BatchAppendReq) {
	ln.sending.Lock()
	defer ln.sending.Unlock()
	for _, r := range parts {
		if ln.call.Send(r) != nil {
			return // receive sees why
		}
	}
}

// messageBytes of events, without their ids and the like, end a message of an append.
const messageBytes = 256 << 10

// requests is an append in messages: the last one has it written, as a whole.
func requests(id uuid.UUID, stream string, expect uint64, events []esdb.EventData, timeout time.Duration) []*streams.BatchAppendReq {
	o := &streams.BatchAppendReq_Options{
		StreamIdentifier:       &shared.StreamIdentifier{StreamName: []byte(stream)},
		ExpectedStreamPosition: &streams.BatchAppendReq_Options_NoStream{NoStream: &emptypb.Empty{}},
		DeadlineOption:         &streams.BatchAppendReq_Options_Deadline{Deadline: durationpb.New(timeout)},
	}
	if expect > 0 {
		o.ExpectedStreamPosition = &streams.BatchAppendReq_Options_StreamPosition{StreamPosition: expect - 1}
	}
	part := &streams.BatchAppendReq{CorrelationId: wireID(id), Options: o}
	parts, size := []*streams.BatchAppendReq{part}, 0
	for _, e := range events {
		if n := len(e.Data) + len(e.Metadata) + len(e.EventType) + overhead; size > 0 && size+n > messageBytes {
			part = &streams.BatchAppendReq{CorrelationId: part.CorrelationId}
			parts, size = append(parts, part), n
		} else {
			size += n
		}
		kind := "application/octet-stream"
		if e.ContentType == esdb.ContentTypeJson {
			kind = "application/json"
		}
		part.ProposedMessages = append(part.ProposedMessages, &streams.BatchAppendReq_ProposedMessage{
			Id: wireID(e.EventID), Data: e.Data, CustomMetadata: e.Metadata,
			Metadata: map[string]string{"type": e.EventType, "content-type": kind},
		})
	}
	part.IsFinal = true
	return parts
}

func wireID(id uuid.UUID) *shared.UUID {
	most, least := esdb.UUIDAsInt64(id)
	return &shared.UUID{Value: &shared.UUID_Structured_{Structured: &shared.UUID_Structured{MostSignificantBits: most, LeastSignificantBits: least}}}
}

// receive gives answers to who waits for them, until the call ends.
func (p *pipe) receive(ln *line) {
	for {
		r, err := ln.call.Recv()
		if err != nil {
			p.end(ln, p.redirected(sorted(err), ln.call.Trailer()))
			return
		}
		var id uuid.UUID
		if s := r.CorrelationId.GetStructured(); s != nil {
			id, _ = esdb.ParseUUIDFromInt64(s.MostSignificantBits, s.LeastSignificantBits)
		} else {
			id, _ = uuid.Parse(r.CorrelationId.GetString_())
		}
		ln.mu.Lock()
		answered := ln.waiting[id]
		delete(ln.waiting, id)
		ln.mu.Unlock()
		a := answer{event.Position(r.GetSuccess().GetPosition().GetCommitPosition()), unpacked(r.GetError())}
		if answered != nil {
			answered <- a
		}
		if broken(a.err) {
			p.end(ln, a.err)
		}
	}
}

// end has everybody who waits try again, on another line.
func (p *pipe) end(ln *line, err error) {
	p.mu.Lock()
	if p.now == ln {
		p.now = nil
	}
	p.mu.Unlock()
	ln.mu.Lock()
	first := ln.err == nil
	if first {
		ln.err = err
	}
	ln.mu.Unlock()
	if first {
		close(ln.ended)
		ln.cancel()
		if ln.conn != nil {
			_ = ln.conn.Close()
		}
	}
}

func (p *pipe) close() {
	p.mu.Lock()
	ln := p.now
	p.mu.Unlock()
	if ln != nil {
		p.end(ln, context.Canceled)
	}
}
