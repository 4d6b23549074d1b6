package commands

import (
	"github.com/cleversender/cleversender/domain"
	"github.com/cleversender/cleversender/domain/engagement"
)

// RecordUnsubscribe notes which campaign somebody left by. RevokeConsent comes
// first: it is what counts.
type RecordUnsubscribe struct {
	Campaign domain.ID
	Writer   domain.ID // the recorder, the only one to write to its stream
	Person   domain.ID
	Ordinal  int
}

// Stream implements Command.
func (c RecordUnsubscribe) Stream() string { return engagement.Stream(c.Campaign, c.Writer) }

// Decide implements Command.
func (c RecordUnsubscribe) Decide(engagement.Hits) ([]engagement.Event, error) {
	if err := hit(c.Person, c.Ordinal, engagement.MaybeHuman, ""); err != nil {
		return nil, err
	}
	return []engagement.Event{engagement.Unsubscribed{
		Person: c.Person, Campaign: c.Campaign, Ordinal: c.Ordinal,
	}}, nil
}
