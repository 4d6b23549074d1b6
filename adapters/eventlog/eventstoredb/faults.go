package eventstoredb

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/EventStore/EventStore-Client-Go/v4/esdb"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/cleversender/cleversender/adapters/eventlog"
)

// errWrongRevision: the stream does not end where the append expects it. It
// may hold the events already, in part.
var errWrongRevision = errors.New("the stream does not end there")

// errStreamDeleted: somebody has deleted the stream with the server's own means.
var errStreamDeleted = errors.New("the stream has been deleted on the server")

// foreign is an event that is none of ours.
type foreign struct{ error }

// errInterrupted: whether it was done is unknown; it is tried again.
var errInterrupted = errors.New("interrupted")

// interrupted says why something has to be tried again. broken: with another
// connection.
type interrupted struct {
	why    error
	broken bool
}

func (i interrupted) Error() string   { return "event store: " + i.why.Error() }
func (i interrupted) Unwrap() []error { return []error{errInterrupted, i.why} }

// broken reports whether the connection that gave the error is of no use any more.
func broken(err error) bool {
	var i interrupted
	return errors.As(err, &i) && i.broken
}

// sorted makes of what the client returns one of: nil, an error that stays
// whatever is tried, or interrupted. The client wraps its errors at some
// places and not at others, and a subscription's are gRPC's own.
func sorted(err error) error {
	if err == nil {
		return nil
	}
	var f foreign
	if errors.As(err, &f) {
		return f.error
	}
	var e *esdb.Error
	if errors.As(err, &e) {
		switch e.Code() {
		case esdb.ErrorCodeWrongExpectedVersion:
			return errWrongRevision
		case esdb.ErrorCodeStreamDeleted:
			return errStreamDeleted
		case esdb.ErrorCodeNotLeader: // the client goes to the leader by itself
			return interrupted{err, false}
		case esdb.ErrorCodeConnectionClosed, esdb.ErrorUnavailable, esdb.ErrorCodeDeadlineExceeded:
			return interrupted{err, true}
		case esdb.ErrorCodeAccessDenied, esdb.ErrorCodeUnauthenticated, esdb.ErrorCodeUnsupportedFeature:
			return fmt.Errorf("event store: %w", err)
		}
	}
	// An append that the server refuses while it is being sent ends with EOF.
	if errors.Is(err, io.EOF) {
		return interrupted{err, false}
	}
	return sortedStatus(err)
}

func sortedStatus(err error) error {
	s, ok := status.FromError(err)
	if !ok {
		return interrupted{err, true}
	}
	switch s.Code() {
	case codes.InvalidArgument:
		switch message := strings.ToLower(s.Message()); {
		case strings.Contains(message, "append size"):
			return eventlog.ErrTooLarge
		case strings.Contains(message, "position"):
			return eventlog.ErrNoPosition
		}
		return fmt.Errorf("event store: %w", err)
	case codes.PermissionDenied, codes.Unauthenticated, codes.Unimplemented, codes.FailedPrecondition:
		return fmt.Errorf("event store: %w", err)
	case codes.Aborted, codes.ResourceExhausted:
		return interrupted{err, false}
	default:
		return interrupted{err, true}
	}
}
