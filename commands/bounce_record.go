package commands

import (
	"time"

	"github.com/cleversender/cleversender/domain"
	"github.com/cleversender/cleversender/domain/bounce"
	"github.com/cleversender/cleversender/domain/personal"
	"github.com/cleversender/cleversender/domain/subscriber"
)

// Refusals of reports.
var (
	ErrBounceKind = domain.Refuse("unknown_bounce_kind", "there is no such kind of bounce")
	ErrReport     = domain.Refuse("bad_report", "the report does not say which message it is about")
)

// RecordBounce notes that a message to a person bounced, and suppresses the
// person's address when Policy says so.
type RecordBounce struct {
	Person     subscriber.ID
	Letter     bounce.Letter
	Kind       bounce.Kind
	Status     string // RFC 3463; may be empty
	Source     bounce.Source
	At         time.Time     // when we heard of it
	Diagnostic personal.Text // may be empty
	Policy     bounce.Policy
}

// Stream implements Command.
func (c RecordBounce) Stream() string { return subscriber.Stream(c.Person) }

// About implements Personal.
func (c RecordBounce) About() domain.ID { return c.Person }

// Decide implements Command. A message bounces once in each way. While the
// person's data is restricted, no report is kept (GDPR Art. 18(2)).
func (c RecordBounce) Decide(is subscriber.Subscriber) ([]subscriber.Event, error) {
	if err := living(is); err != nil {
		return nil, err
	}
	if !c.Kind.Known() {
		return nil, ErrBounceKind
	}
	if err := report(c.Letter, c.Source, c.Status); err != nil {
		return nil, err
	}
	if is.Bounces.Bounced(c.Letter, c.Kind) || is.Standing.Has(subscriber.Restriction) {
		return nil, nil
	}
	received := bounce.Received{
		Campaign: c.Letter.Campaign, Ordinal: c.Letter.Ordinal, Message: c.Letter.Message,
		Kind: c.Kind, Status: c.Status, Source: c.Source, At: c.At.UTC(), Diagnostic: clip(c.Diagnostic, maxNote),
	}
	return suppressing(is, received, c.reason(is.Bounces.Apply(received))), nil
}

// reason is why the address is given up; "": it is not. A block is about us,
// an automatic reply about nothing.
func (c RecordBounce) reason(h bounce.History) subscriber.Hold {
	switch {
	case c.Kind == bounce.Hard:
		return subscriber.HardBounce
	case c.Kind == bounce.Soft && c.Policy.GivesUp(h):
		return subscriber.SoftBounces
	}
	return ""
}

// suppressing is a report, and what follows from it unless it holds already.
func suppressing(is subscriber.Subscriber, report subscriber.Event, reason subscriber.Hold) []subscriber.Event {
	if reason == "" || is.Standing.Has(reason) {
		return []subscriber.Event{report}
	}
	return []subscriber.Event{report, subscriber.Suppressed{Reason: reason}}
}

// report refuses one that cannot be kept. word is a status, or a type of feedback.
func report(of bounce.Letter, s bounce.Source, word string) error {
	switch {
	case !of.Valid():
		return ErrReport
	case !s.Known():
		return ErrSource
	}
	return oneLine("status of the report", word, maxStatus)
}
