package commands

import (
	"github.com/cleversender/cleversender/domain"
	"github.com/cleversender/cleversender/domain/message"
)

// Refusals of what is asked of a message at the wrong moment.
var (
	ErrMessageSettled  = domain.Refuse("message_settled", "what became of the message is already recorded")
	ErrMessageInFlight = domain.Refuse("message_in_flight", "another worker has the message")
	ErrNotIntended     = domain.Refuse("message_not_intended", "the worker never intended the message, so it has no result to tell")
	ErrNotInDoubt      = domain.Refuse("message_not_unknown", "it is known what became of the message, or will be soon")
)

// IntendMessage says that a message is about to leave.
type IntendMessage struct {
	Message message.ID
	Person  domain.ID
	Worker  domain.ID
}

// Stream implements Command.
func (c IntendMessage) Stream() string { return message.Stream(c.Message) }

// About implements Personal.
func (c IntendMessage) About() domain.ID { return c.Person }

// Decide implements Command.
func (c IntendMessage) Decide(is message.Message) ([]message.Event, error) {
	switch {
	case is.Status == message.None:
		return nil, ErrNotFound
	case c.Worker.IsZero():
		return nil, ErrNotIntended
	case is.Status == message.Pending && is.Worker == c.Worker:
		return nil, nil
	case is.Status == message.Pending:
		return nil, ErrMessageInFlight
	case !is.Status.Due():
		return nil, ErrMessageSettled
	}
	return []message.Event{message.Intended{Worker: c.Worker}}, nil
}
