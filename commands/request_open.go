package commands

import (
	"slices"
	"time"

	"github.com/cleversender/cleversender/domain"
	"github.com/cleversender/cleversender/domain/privacyrequest"
)

// ErrKind: there is no such request.
var ErrKind = domain.Refuse("unknown_kind", "there is no such kind of request")

// OpenRequest starts the clock of a data subject's request.
type OpenRequest struct {
	Request privacyrequest.ID
	Person  domain.ID
	Kind    privacyrequest.Kind
	Now     time.Time
}

// Stream implements Command.
func (c OpenRequest) Stream() string { return privacyrequest.Stream(c.Request) }

// About implements Personal.
func (c OpenRequest) About() domain.ID { return c.Person }

// Decide implements Command. Sent again, the first asking is what counts.
func (c OpenRequest) Decide(is privacyrequest.Request) ([]privacyrequest.Event, error) {
	due := c.Now.Add(privacyrequest.Term).UTC()
	switch {
	case is.Kind != "" && is.Kind == c.Kind:
		return nil, nil
	case is.Kind != "":
		return nil, ErrExists
	case !slices.Contains(privacyrequest.Kinds, c.Kind):
		return nil, ErrKind
	case c.Person.IsZero():
		return nil, ErrNobody
	case !storable(due):
		return nil, ErrBadTime
	}
	return []privacyrequest.Event{privacyrequest.Received{Kind: c.Kind, Due: due}}, nil
}
