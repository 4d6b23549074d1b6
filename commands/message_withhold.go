package commands

import (
	"slices"

	"github.com/cleversender/cleversender/domain"
	"github.com/cleversender/cleversender/domain/delivery"
	"github.com/cleversender/cleversender/domain/message"
)

// ErrNoReason: somebody who gets no message is told why not.
var ErrNoReason = domain.Refuse("unknown_reason", "there is no such reason to withhold a message")

var messageHolds = []delivery.Reason{delivery.Erased, delivery.Restricted, delivery.Suppressed}

// WithholdMessage says that a message is not sent after all. It cancels an
// intent of the same worker's whose message has not left.
type WithholdMessage struct {
	Message message.ID
	Person  domain.ID
	Worker  domain.ID
	Reason  delivery.Reason
}

// Stream implements Command.
func (c WithholdMessage) Stream() string { return message.Stream(c.Message) }

// About implements Personal.
func (c WithholdMessage) About() domain.ID { return c.Person }

// Decide implements Command.
func (c WithholdMessage) Decide(is message.Message) ([]message.Event, error) {
	switch {
	case is.Status == message.None:
		return nil, ErrNotFound
	case is.Status == message.Excluded:
		return nil, nil
	case !slices.Contains(messageHolds, c.Reason):
		return nil, ErrNoReason
	case is.Status == message.Pending && is.Worker != c.Worker:
		return nil, ErrMessageInFlight
	case is.Status != message.Pending && !is.Status.Due():
		return nil, ErrMessageSettled
	}
	return []message.Event{message.Withheld{Reason: c.Reason}}, nil
}
