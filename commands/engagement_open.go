package commands

import (
	"github.com/cleversender/cleversender/domain"
	"github.com/cleversender/cleversender/domain/engagement"
	"github.com/cleversender/cleversender/domain/personal"
)

// ErrMachine: there is no such reason.
var ErrMachine = domain.Refuse("unknown_machine", "there is no such reason to think of a machine")

// RecordOpen notes that the pixel was fetched. Each hit is a fact of its own:
// sent again as another request it is another hit. Whether the person allows
// it is asked before.
type RecordOpen struct {
	Campaign domain.ID
	Writer   domain.ID // the recorder, the only one to write to its stream
	Person   domain.ID
	Ordinal  int
	Machine  engagement.Machine
	Signal   string // what gave it away: a word of ours, never the client's
	IP       personal.Text
	Client   personal.Text
}

// Stream implements Command.
func (c RecordOpen) Stream() string { return engagement.Stream(c.Campaign, c.Writer) }

// Decide implements Command.
func (c RecordOpen) Decide(engagement.Hits) ([]engagement.Event, error) {
	if err := hit(c.Person, c.Ordinal, c.Machine, c.Signal); err != nil {
		return nil, err
	}
	return []engagement.Event{engagement.Opened{
		Person: c.Person, Campaign: c.Campaign, Ordinal: c.Ordinal, Machine: c.Machine, Signal: c.Signal,
		IP: clip(c.IP, maxIP), Client: clip(c.Client, maxClient),
	}}, nil
}

// ErrSignal: what gave a machine away is too long, or there is no machine.
var ErrSignal = domain.Refuse("bad_signal", "what gave a machine away is a short text, and only a machine has one")

func hit(person domain.ID, ordinal int, m engagement.Machine, signal string) error {
	switch {
	case person.IsZero():
		return ErrNobody
	case ordinal < 0:
		return ErrBadNumber
	case !m.Known():
		return ErrMachine
	case m == engagement.MaybeHuman && signal != "", len(signal) > maxSignal:
		return ErrSignal
	}
	return nil
}
