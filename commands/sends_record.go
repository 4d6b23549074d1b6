package commands

import (
	"github.com/cleversender/cleversender/domain"
	"github.com/cleversender/cleversender/domain/delivery"
)

// RecordResults says what became of messages that were intended: Accepted,
// Deferred and Failed. A result that nobody knows is not recorded.
type RecordResults struct {
	Campaign domain.ID
	Segment  int
	Worker   domain.ID
	Results  []delivery.Event
}

// Stream implements Command.
func (c RecordResults) Stream() string { return delivery.Stream(c.Campaign, c.Segment) }

// Decide implements Command: all of them, or none.
func (c RecordResults) Decide(s delivery.Segment) ([]delivery.Event, error) {
	if err := held(s, c.Campaign, c.Worker); err != nil {
		return nil, err
	}
	draft := s.Draft()
	events := make([]delivery.Event, 0, len(c.Results))
	for _, e := range c.Results {
		r, campaign, to, err := delivery.Result(e)
		if err != nil {
			return nil, err
		}
		at, ok := draft.Of(r.Ordinal, r.Person)
		switch {
		case !ok || campaign != c.Campaign:
			return nil, delivery.ErrNoRecipient
		case at == to:
			continue
		case at.Settled():
			return nil, delivery.ErrSettled
		case at != delivery.Pending:
			return nil, delivery.ErrNotIntended
		}
		draft.Apply(e)
		events = append(events, e)
	}
	return events, nil
}
