package esdbtest

import (
	"regexp"
	"slices"
	"strings"

	"github.com/EventStore/EventStore-Client-Go/v4/protos/streams"
	"github.com/google/uuid"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// subscribe sends the confirmation, events and checkpoints, a last checkpoint
// (filtered only), CaughtUp, and then what comes. It begins behind the position.
func (n *node) subscribe(o *streams.ReadReq_Options, out sender) error {
	match, err := matcher(o.GetFilter())
	if err != nil {
		return err
	}
	events, grown := n.cluster.store.all()
	at := 0
	switch from := o.GetAll().AllOption.(type) {
	case *streams.ReadReq_Options_AllOptions_Position:
		i, exact := place(events, from.Position.CommitPosition)
		if !exact {
			return errPosition
		}
		at = min(i+1, len(events))
	case *streams.ReadReq_Options_AllOptions_End:
		at = len(events)
	}
	if err := out.send(&streams.ReadResp{Content: &streams.ReadResp_Confirmation{
		Confirmation: &streams.ReadResp_SubscriptionConfirmation{SubscriptionId: uuid.NewString()},
	}}); err != nil {
		return err
	}
	s := subscription{out: out, match: match, filtered: o.GetFilter() != nil,
		every: int(o.GetFilter().GetMax()) * int(o.GetFilter().GetCheckpointIntervalMultiplier())}
	if err := s.pass(events[at:]); err != nil {
		return err
	}
	if s.filtered && len(events) > 0 {
		if err := s.checkpoint(events[len(events)-1]); err != nil {
			return err
		}
	}
	if err := out.send(&streams.ReadResp{Content: &streams.ReadResp_CaughtUp_{CaughtUp: &streams.ReadResp_CaughtUp{}}}); err != nil {
		return err
	}
	for at = len(events); ; at = len(events) {
		select {
		case <-grown:
		case <-out.Context().Done():
			return status.FromContextError(out.Context().Err()).Err()
		}
		events, grown = n.cluster.store.all()
		if err := s.pass(events[at:]); err != nil {
			return err
		}
	}
}

type subscription struct {
	out      sender
	match    func(*record) bool
	filtered bool
	every    int // events between checkpoints
	seen     int
}

func (s *subscription) pass(events []*record) error {
	for _, e := range events {
		if s.match(e) {
			if err := s.out.event(e); err != nil {
				return err
			}
		}
		if s.seen++; s.filtered && s.every > 0 && s.seen%s.every == 0 {
			if err := s.checkpoint(e); err != nil {
				return err
			}
		}
	}
	return nil
}

func (s *subscription) checkpoint(e *record) error {
	return s.out.send(&streams.ReadResp{Content: &streams.ReadResp_Checkpoint_{
		Checkpoint: &streams.ReadResp_Checkpoint{CommitPosition: e.position, PreparePosition: e.position},
	}})
}

// matcher is a filter by type or by stream, by prefixes or by a regular expression.
func matcher(f *streams.ReadReq_Options_FilterOptions) (func(*record) bool, error) {
	if f == nil {
		return func(*record) bool { return true }, nil
	}
	by, of := f.GetEventType(), func(e *record) string { return e.system["type"] }
	if by == nil {
		by, of = f.GetStreamIdentifier(), func(e *record) string { return e.stream }
	}
	if by.GetRegex() == "" {
		return func(e *record) bool {
			return slices.ContainsFunc(by.GetPrefix(), func(p string) bool { return strings.HasPrefix(of(e), p) })
		}, nil
	}
	re, err := regexp.Compile(by.Regex)
	if err != nil {
		return nil, status.Error(codes.InvalidArgument, err.Error())
	}
	return func(e *record) bool { return re.MatchString(of(e)) }, nil
}
