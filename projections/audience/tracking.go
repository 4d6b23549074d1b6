package audience

import (
	"context"

	"github.com/cleversender/cleversender/domain"
	"github.com/cleversender/cleversender/domain/consent"
	"github.com/cleversender/cleversender/domain/subscriber"
	"github.com/cleversender/cleversender/projections"
)

// Who is a person, as an account knows them.
type Who struct{ Account, Person domain.ID }

// Tracking is what somebody lets be recorded of what they do with messages.
type Tracking struct{ Opens, Clicks bool }

// TrackingOf says of each what they allow, in the order asked. Who is not known
// allows nothing, and of who is restricted nothing is recorded (GDPR Art. 18(2)).
func TrackingOf(ctx context.Context, r projections.Reader, who []Who) ([]Tracking, error) {
	keys := make([][]any, len(who))
	for i := range who {
		keys[i] = []any{who[i].Account[:], who[i].Person[:]}
	}
	rows, err := r.GetMany(ctx, people, keys)
	if err != nil {
		return nil, err
	}
	out := make([]Tracking, len(who))
	var p person
	for i, row := range rows {
		if row == nil {
			continue
		}
		if err := p.read(row); err != nil {
			return nil, err
		}
		if p.Held(subscriber.Restriction) != nil {
			continue
		}
		out[i].Opens, out[i].Clicks = p.allows(consent.OpenTracking), p.allows(consent.ClickTracking)
	}
	return out, nil
}
