// Package persontimeline is what happened with one person, in order.
package persontimeline

import (
	"time"

	"github.com/cleversender/cleversender/domain"
	"github.com/cleversender/cleversender/domain/event"
	"github.com/cleversender/cleversender/domain/personal"
)

// Entry is one event that concerns the person, put in words.
type Entry struct {
	Position event.Position
	Event    domain.ID
	At       time.Time
	Type     string // stored name of the event
	What     string // a sentence without personal values
	Actor    domain.ID
	Campaign domain.ID // zero when it is about none; so for all below
	List     domain.ID
	Link     int           // index into the campaign's links; -1: none
	IP       personal.Text // as open or sealed as the events given
	Client   personal.Text
	Reply    personal.Text // of a server, about the person's address
}

// Fold turns the events of one person (subjectindex, then Journal.ReadAt, then
// Journal.Open) into entries, in log order.
func Fold(events []event.Recorded) []Entry { return nil }
