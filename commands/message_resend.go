package commands

import (
	"github.com/cleversender/cleversender/domain"
	"github.com/cleversender/cleversender/domain/message"
)

// ResendMessage queues a message again of which it is unknown whether it was
// sent, with the same Message-ID: a mailbox that has it may show it twice, or once.
type ResendMessage struct {
	Message message.ID
	Person  domain.ID
}

// Stream implements Command.
func (c ResendMessage) Stream() string { return message.Stream(c.Message) }

// About implements Personal.
func (c ResendMessage) About() domain.ID { return c.Person }

// Decide implements Command. While it is being sent anew, there is nothing to add.
func (c ResendMessage) Decide(is message.Message) ([]message.Event, error) {
	switch {
	case is.Status == message.None:
		return nil, ErrNotFound
	case is.Resends > 0 && (is.Status.Due() || is.Status == message.Pending):
		return nil, nil
	case is.Status != message.InDoubt:
		return nil, ErrNotInDoubt
	}
	return []message.Event{message.ResendRequested{}}, nil
}
