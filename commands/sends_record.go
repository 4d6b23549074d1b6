package commands

import (
	"github.com/cleversender/cleversender/domain"
	"github.com/cleversender/cleversender/domain/delivery"
)

// RecordResults says what became of messages that were intended. A result that
// nobody knows is not recorded.
type RecordResults struct {
	Campaign domain.ID
	Segment  int
	Worker   domain.ID
	Results  []delivery.Result
}

// Stream implements Command.
func (c RecordResults) Stream() string { return delivery.Stream(c.Campaign, c.Segment) }

// Decide implements Command: all of them, or none.
func (c RecordResults) Decide(s delivery.Segment) ([]delivery.Event, error) {
	if err := held(s, c.Campaign, c.Worker); err != nil {
		return nil, err
	}
	draft := s.Draft()
	fresh := make([]delivery.Result, 0, len(c.Results))
	for _, r := range c.Results {
		at, ok := draft.Of(r.Ordinal, r.Person)
		switch {
		case !ok:
			return nil, delivery.ErrNoRecipient
		case at == r.To:
			continue
		case at.Settled():
			return nil, delivery.ErrSettled
		case at != delivery.Pending:
			return nil, delivery.ErrNotIntended
		}
		draft.Move(r.To, r.Ordinal)
		fresh = append(fresh, r)
	}
	return delivery.Facts(c.Campaign, fresh)
}
