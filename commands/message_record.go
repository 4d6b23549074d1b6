package commands

import (
	"github.com/cleversender/cleversender/domain"
	"github.com/cleversender/cleversender/domain/message"
)

// RecordMessageResult says what became of a message that this worker intended:
// Accepted, Deferred, Failed, or LeftInDoubt. Who was taken for dead, and knows
// after all, may still say so, until the message is asked for again.
type RecordMessageResult struct {
	Message message.ID
	Person  domain.ID
	Worker  domain.ID // who intended it
	Result  message.Event
}

// Stream implements Command.
func (c RecordMessageResult) Stream() string { return message.Stream(c.Message) }

// About implements Personal.
func (c RecordMessageResult) About() domain.ID { return c.Person }

// Decide implements Command.
func (c RecordMessageResult) Decide(is message.Message) ([]message.Event, error) {
	var to message.Status
	switch c.Result.(type) {
	case message.Accepted, message.Deferred, message.Failed, message.LeftInDoubt:
		to = message.After(c.Result)
	default:
		return nil, ErrNotIntended
	}
	switch {
	case is.Status == message.None:
		return nil, ErrNotFound
	case is.Worker != c.Worker || c.Worker.IsZero():
		return nil, ErrNotIntended
	case is.Status == to:
		return nil, nil
	case is.Status == message.Pending, is.Status == message.InDoubt:
		return []message.Event{c.Result}, nil
	case is.Status.Due():
		return nil, ErrNotIntended
	}
	return nil, ErrMessageSettled
}
