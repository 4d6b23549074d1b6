package commands

import (
	"github.com/cleversender/cleversender/domain"
	"github.com/cleversender/cleversender/domain/message"
	"github.com/cleversender/cleversender/domain/personal"
)

var (
	ErrMessageKind   = domain.Refuse("unknown_kind", "there is no such kind of message")
	ErrNotOfCampaign = domain.Refuse("campaign_not_expected", "a test is of a campaign, and no other message is")
	ErrManyVariables = domain.Refuse("too_many_variables", "a message has at most 50 variables, with names of 64 octets and 16 kB in all")
)

// What the variables of one message may be, in octets.
const (
	maxVariables    = 50
	maxVariableName = 64
	maxVariableSize = 16 << 10
)

// RequestMessage asks for one message to one person. Asked again with the same
// words it does nothing: the template is sent as it was at first.
type RequestMessage struct {
	Message message.ID
	Person  domain.ID // to whom the address belongs
	Request message.Requested
}

// Stream implements Command.
func (c RequestMessage) Stream() string { return message.Stream(c.Message) }

// About implements Personal.
func (c RequestMessage) About() domain.ID { return c.Person }

// Decide implements Command.
func (c RequestMessage) Decide(is message.Message) ([]message.Event, error) {
	switch {
	case is.Status != message.None && sameMessage(is.Requested, c.Request):
		return nil, nil
	case is.Status != message.None:
		return nil, ErrExists
	case c.Person.IsZero():
		return nil, ErrNobody
	}
	if err := checkMessage(c.Request); err != nil {
		return nil, err
	}
	return []message.Event{c.Request}, nil
}

// sameMessage: the same words to the same address, whatever the template has become.
func sameMessage(a, b message.Requested) bool {
	return a.Kind == b.Kind && a.Campaign == b.Campaign && a.Template == b.Template &&
		a.FromName == b.FromName && a.FromEmail == b.FromEmail && a.ReplyTo == b.ReplyTo &&
		a.To.Equal(b.To) && a.Name.Equal(b.Name) && a.Variables.Equal(b.Variables)
}

func checkMessage(m message.Requested) error {
	to, ok := m.To.Reveal()
	name, named := m.Name.Reveal()
	switch {
	case !m.Kind.Known():
		return ErrMessageKind
	case (m.Kind == message.Test) == m.Campaign.IsZero():
		return ErrNotOfCampaign
	case m.Template.IsZero() || m.TemplateRevision == 0:
		return ErrNoRevision
	case !ok || !named:
		return errUnreadable
	}
	for _, err := range []error{
		hexDigest(m.SHA256), address(to), oneLine("name", name, maxName),
		oneLine("sender's name", m.FromName, maxName), address(m.FromEmail), variables(m.Variables),
	} {
		if err != nil {
			return err
		}
	}
	if m.ReplyTo != "" {
		return address(m.ReplyTo)
	}
	return nil
}

func variables(values personal.Fields) error {
	var err error
	n, size := 0, 0
	readable := values.RevealEach(func(name, value string) bool {
		n++
		size += len(value)
		if n > maxVariables || name == "" || len(name) > maxVariableName || size > maxVariableSize {
			err = ErrManyVariables
		} else if err = oneLine("name of a variable", name, maxVariableName); err == nil {
			err = manyLines("value of a variable", value, maxVariableSize)
		}
		return err == nil
	})
	if err == nil && !readable {
		return errUnreadable
	}
	return err
}
