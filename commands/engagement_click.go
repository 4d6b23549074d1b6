package commands

import (
	"github.com/cleversender/cleversender/domain"
	"github.com/cleversender/cleversender/domain/engagement"
	"github.com/cleversender/cleversender/domain/personal"
)

// RecordClick notes that a tracked link was followed. Each hit is a fact of
// its own. Whether the person allows it is asked before.
type RecordClick struct {
	Campaign domain.ID
	Writer   domain.ID // the recorder, the only one to write to its stream
	Person   domain.ID
	Ordinal  int
	Link     int // index into the campaign's frozen links
	Machine  engagement.Machine
	Signal   string // what gave it away: a word of ours, never the client's
	IP       personal.Text
	Client   personal.Text
}

// Stream implements Command.
func (c RecordClick) Stream() string { return engagement.Stream(c.Campaign, c.Writer) }

// Decide implements Command.
func (c RecordClick) Decide(engagement.Hits) ([]engagement.Event, error) {
	if err := hit(c.Person, c.Ordinal, c.Machine, c.Signal); err != nil {
		return nil, err
	}
	if c.Link < 0 || c.Link >= maxLinks {
		return nil, ErrBadNumber
	}
	return []engagement.Event{engagement.Clicked{
		Person: c.Person, Campaign: c.Campaign, Ordinal: c.Ordinal, Link: c.Link, Machine: c.Machine, Signal: c.Signal,
		IP: clip(c.IP, maxIP), Client: clip(c.Client, maxClient),
	}}, nil
}
