package commands

import (
	"time"

	"github.com/cleversender/cleversender/domain"
	"github.com/cleversender/cleversender/domain/bounce"
	"github.com/cleversender/cleversender/domain/subscriber"
)

// RecordComplaint notes that a person called a message unwanted, and suppresses
// the person.
type RecordComplaint struct {
	Person   subscriber.ID
	Letter   bounce.Letter
	Feedback string // RFC 5965, section 7.3; may be empty
	Source   bounce.Source
	At       time.Time // when we heard of it
}

// Stream implements Command.
func (c RecordComplaint) Stream() string { return subscriber.Stream(c.Person) }

// About implements Personal.
func (c RecordComplaint) About() domain.ID { return c.Person }

// Decide implements Command. A message is complained of once. It is the
// person's word, and kept while their data is restricted, too.
func (c RecordComplaint) Decide(is subscriber.Subscriber) ([]subscriber.Event, error) {
	if err := living(is); err != nil {
		return nil, err
	}
	if err := report(c.Letter, c.Source, c.Feedback); err != nil {
		return nil, err
	}
	if is.Bounces.ComplainedOf(c.Letter) {
		return nil, nil
	}
	return suppressing(is, bounce.Complained{
		Campaign: c.Letter.Campaign, Ordinal: c.Letter.Ordinal, Message: c.Letter.Message,
		Feedback: c.Feedback, Source: c.Source, At: c.At.UTC(),
	}, subscriber.Complaint), nil
}
