package api

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/cleversender/cleversender/commands"
	"github.com/cleversender/cleversender/domain"
	"github.com/cleversender/cleversender/domain/account"
	"github.com/cleversender/cleversender/domain/event"
	"github.com/cleversender/cleversender/projections"
)

// Idempotent is part of the input of what can be sent again.
type Idempotent struct {
	Key string `header:"Idempotency-Key" maxLength:"200" doc:"names the request: sent again it does nothing more. Reused for another one it is refused."`
}

// Waiting is part of the input of what can wait for a change to be shown.
type Waiting struct {
	WaitFor uint64 `query:"wait_for" doc:"a Cleversender-Position: the answer shows at least that much of the log"`
}

// Paged is part of the input of what comes in pages.
type Paged struct {
	Limit int    `query:"limit" minimum:"1" maximum:"500" default:"50" doc:"how many at most"`
	After string `query:"after" maxLength:"100" doc:"the next of the page before"`
}

// Page is a run of items. Next is where the following one begins; "" at the end.
type Page[T any] struct {
	Items []T    `json:"items" nullable:"false"`
	Next  string `json:"next,omitempty"`
}

// Answer is the output of most calls: a body, and for changes their place in the log.
type Answer[T any] struct {
	Position uint64 `header:"Cleversender-Position" doc:"where in the log the change is"`
	Body     T
}

// Shown is the output of a call that changes nothing.
type Shown[T any] struct{ Body T }

// Changed is the output of a change that has nothing to show.
type Changed struct {
	Position uint64 `header:"Cleversender-Position" doc:"where in the log the change is"`
}

// maxWait bounds how long a GET waits for a position.
const maxWait = 10 * time.Second

// route declares a call that a token of the account may make.
func route(method, path, id, tag, summary string) huma.Operation {
	return huma.Operation{
		Method: method, Path: Prefix + path, OperationID: id, Summary: summary, Tags: []string{tag},
		Security: []map[string][]string{{bearer: {string(account.ScopeAccount)}}},
		Errors:   []int{http.StatusBadRequest, http.StatusUnauthorized, http.StatusForbidden, http.StatusNotFound, http.StatusConflict},
	}
}

// operatorRoute declares a call that takes a token of the operator.
func operatorRoute(method, path, id, tag, summary string) huma.Operation {
	op := route(method, path, id, tag, summary)
	op.Security = []map[string][]string{{bearer: {string(account.ScopeOperator)}}}
	return op
}

// created says that a call answers 201.
func created(op huma.Operation) huma.Operation {
	op.DefaultStatus = http.StatusCreated
	return op
}

// add registers a call; whatever error it returns becomes a problem document.
func add[I, O any](s *Server, op huma.Operation, call func(context.Context, *I) (*O, error)) {
	huma.Register(s.api, op, func(ctx context.Context, in *I) (*O, error) {
		out, err := call(ctx, in)
		if err != nil {
			return nil, toProblem(ctx, s.deps.Logger, op.OperationID, err)
		}
		return out, nil
	})
}

// request is what stands around the commands of a call.
func (s *Server) request(ctx context.Context, in Idempotent) commands.Request {
	who := callerOf(ctx)
	req := commands.Request{ID: s.deps.NewID(), Account: who.account, Actor: who.token}
	if in.Key != "" {
		req.ID = who.account.Derive("request/" + in.Key)
	}
	return req
}

// newID names what a request creates: the same thing when it is sent again.
func (s *Server) newID(req commands.Request, in Idempotent, kind string) domain.ID {
	if in.Key == "" {
		return s.deps.NewID()
	}
	return req.ID.Derive(kind)
}

// do handles a command and says where in the log it is: at the end of it, when
// the command found nothing to do.
func do[S commands.State[S, E], E any](ctx context.Context, s *Server, req commands.Request, in Idempotent, cmd commands.Command[S, E]) (uint64, error) {
	var log commands.Log = s.deps.Log
	if in.Key != "" {
		log = &once{Log: log, request: req.ID}
	}
	done, err := commands.Handle(ctx, log, req, cmd)
	if err != nil {
		return 0, err
	}
	if done.Position == 0 {
		done.Position, err = s.deps.Log.Head(ctx)
	}
	return uint64(done.Position), err
}

// read returns a projection's rows, as of a position at least.
func (s *Server) read(ctx context.Context, projection string, in Waiting) (projections.Reader, error) {
	if in.WaitFor > 0 {
		head, err := s.deps.Log.Head(ctx)
		if err != nil {
			return nil, err
		}
		if event.Position(in.WaitFor) > head {
			return nil, domain.Refuse("bad_position", "the log does not reach to this position")
		}
		if err := s.wait(ctx, projection, in.WaitFor); err != nil {
			return nil, err
		}
	}
	return s.deps.Models.Reader(projection), nil
}

func (s *Server) wait(ctx context.Context, projection string, position uint64) error {
	bounded, cancel := context.WithTimeout(ctx, maxWait)
	defer cancel()
	err := s.deps.Models.WaitFor(bounded, projection, event.Position(position))
	if err != nil && bounded.Err() != nil && ctx.Err() == nil {
		return problem(http.StatusServiceUnavailable, "not_caught_up", "the projection has not come that far yet; try again")
	}
	return err
}
