// Package consenthistory answers what one person agreed to and when, on what
// evidence, and what that came to at any moment or log position.
package consenthistory

import (
	"slices"
	"time"

	"github.com/cleversender/cleversender/domain"
	"github.com/cleversender/cleversender/domain/consent"
	"github.com/cleversender/cleversender/domain/event"
	"github.com/cleversender/cleversender/domain/personal"
	"github.com/cleversender/cleversender/domain/subscriber"
)

// Entry is one thing that was said about one purpose, the evidence of it, and
// where it left the answer.
type Entry struct {
	Position  event.Position
	Event     domain.ID
	At        time.Time
	Type      string // stored name of the event
	Actor     domain.ID
	Purpose   consent.Purpose
	List      domain.ID // zero for purposes that are not about a list
	Method    consent.Method
	Wording   string    // SHA-256 of what they were shown, hex; "" when unknown
	Import    domain.ID // of an assertion: the import and the line of its file
	Row       int
	ClaimedAt time.Time
	IP        personal.Text // as open or sealed as the events given
	Client    personal.Text
	State     consent.State // after it
	Decided   bool          // the answer rests on this event from here on
	Erasure   bool          // the person was erased: nothing is in force from here on
}

// Answer is where one purpose stands.
type Answer struct {
	consent.Key
	consent.State
	Position event.Position // of the event that the answer rests on
	At       time.Time
}

// Fold turns the events of one person (subjectindex, then Journal.ReadAt, then
// Journal.Open) into entries, in log order.
func Fold(events []event.Recorded) []Entry {
	var entries []Entry
	var ledger consent.Ledger
	for _, e := range events {
		if _, ok := e.Data.(subscriber.Erased); ok {
			ledger = nil
			entries = append(entries, Entry{
				Position: e.Position, Event: e.ID, At: e.At, Type: e.Type, Actor: e.Meta.Actor, Erasure: true,
			})
		}
		before := ledger
		ledger = ledger.Apply(e.Data)
		for key := range consent.Keys(e.Data) {
			entry := entryOf(e, key)
			entry.State = ledger.Of(key)
			entry.Decided = entry.State.Status != before.Of(key).Status
			entries = append(entries, entry)
		}
	}
	return entries
}

func entryOf(e event.Recorded, key consent.Key) Entry {
	entry := Entry{
		Position: e.Position, Event: e.ID, At: e.At, Type: e.Type, Actor: e.Meta.Actor,
		Purpose: key.Purpose, List: key.List,
	}
	switch data := e.Data.(type) {
	case consent.Requested:
		entry.Method = data.Method
	case consent.Given:
		entry.Method, entry.Wording, entry.IP, entry.Client = data.Method, data.Wording, data.IP, data.Client
	case consent.Confirmed:
		entry.Method, entry.IP, entry.Client = data.Method, data.IP, data.Client
	case consent.Asserted:
		entry.Method, entry.Import, entry.Row, entry.ClaimedAt = consent.ByImport, data.Import, data.Row, data.ClaimedAt
		if data.Import.IsZero() {
			entry.Method = consent.ByAPI
		}
	case consent.Revoked:
		entry.Method, entry.IP, entry.Client = data.Method, data.IP, data.Client
	}
	return entry
}

// At is what the entries came to at a position of the log, in the order in
// which each purpose was first spoken of.
func At(entries []Entry, position event.Position) []Answer {
	return until(entries, func(e Entry) bool { return e.Position <= position })
}

// AsOf is what the entries came to at a moment.
func AsOf(entries []Entry, moment time.Time) []Answer {
	return until(entries, func(e Entry) bool { return !e.At.After(moment) })
}

func until(entries []Entry, counts func(Entry) bool) []Answer {
	var answers []Answer
	for _, e := range entries {
		if !counts(e) {
			break
		}
		if e.Erasure {
			answers = nil
			continue
		}
		key := consent.Key{Purpose: e.Purpose, List: e.List}
		i := slices.IndexFunc(answers, func(a Answer) bool { return a.Key == key })
		if i < 0 {
			i, answers = len(answers), append(answers, Answer{Key: key})
		}
		answers[i].State = e.State
		if e.Decided {
			answers[i].Position, answers[i].At = e.Position, e.At
		}
	}
	return answers
}
