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
		keys[i] = []any{who[i].Person[:], who[i].Account[:]}
	}
	rows, err := r.GetMany(ctx, tracked, keys)
	if err != nil {
		return nil, err
	}
	out := make([]Tracking, len(who))
	for i, row := range rows {
		if row != nil {
			out[i] = Tracking{Opens: row.Bool(2), Clicks: row.Bool(3)}
		}
	}
	return out, nil
}

// tracking is what the person lets be recorded, as all that is known of them says.
func (s *person) tracking() Tracking {
	if s.Held(subscriber.Restriction) != nil {
		return Tracking{}
	}
	return Tracking{Opens: s.allows(consent.OpenTracking), Clicks: s.allows(consent.ClickTracking)}
}

// track brings the person's row of tracked up to date.
func (p *page) track(s *person) error {
	was := s.tracked
	switch s.tracked = s.tracking(); s.tracked {
	case was:
		return nil
	case Tracking{}:
		return p.rows.Delete(tracked, s.ID[:])
	default:
		return p.rows.Put(tracked, projections.Row{s.ID[:], s.Account[:], projections.Flag(s.tracked.Opens), projections.Flag(s.tracked.Clicks)})
	}
}
