package audience

import (
	"context"
	"encoding/binary"
	"slices"
	"time"

	"github.com/cleversender/cleversender/domain"
	"github.com/cleversender/cleversender/domain/consent"
	"github.com/cleversender/cleversender/domain/event"
	"github.com/cleversender/cleversender/domain/subscriber"
	"github.com/cleversender/cleversender/projections"
)

// Held is what keeps mail from a person, and since which event.
type Held struct {
	Hold     subscriber.Hold
	Position event.Position
	Since    time.Time
}

// Held returns what is known of a hold on the person; nil: it does not hold.
func (p *Person) Held(h subscriber.Hold) *Held {
	i := slices.IndexFunc(p.Holds, func(held Held) bool { return held.Hold == h })
	if i < 0 {
		return nil
	}
	return &p.Holds[i]
}

func (p *Person) suppressed() bool {
	return slices.ContainsFunc(p.Holds, func(h Held) bool { return h.Hold.Suppresses() })
}

// change begins or ends a hold, and reports whether that is news. Who objects
// again has objected since then.
func (p *Person) change(h subscriber.Hold, begins bool, e event.Recorded) bool {
	held := p.Held(h)
	switch {
	case begins && held == nil:
		p.Holds = append(p.Holds, Held{h, e.Position, e.At})
	case begins && h == subscriber.Objection:
		held.Position, held.Since = e.Position, e.At
	case !begins && held != nil:
		p.Holds = slices.DeleteFunc(p.Holds, func(held Held) bool { return held.Hold == h })
	default:
		return false
	}
	return true
}

// objects reports whether an objection covers the list: all do but those that
// the person agreed to since (package subscriber, Standing).
func (s *person) objects(m *member) bool {
	objection := s.Held(subscriber.Objection)
	own := m.Status == consent.StatusGiven || m.Status == consent.StatusConfirmed
	return objection != nil && !(own && m.at > objection.Position)
}

// Holds are packed, for each its index in holds (1), position (8), since (8,
// microseconds). A change of order is a new version of the projection.
var holds = []subscriber.Hold{
	subscriber.Restriction, subscriber.Objection,
	subscriber.HardBounce, subscriber.SoftBounces, subscriber.Complaint, subscriber.Manual,
}

const heldSize = 1 + 8 + 8

func packHolds(hs []Held) []byte {
	b := make([]byte, 0, len(hs)*heldSize)
	for _, h := range hs {
		b = append(b, byte(slices.Index(holds, h.Hold)))
		b = binary.BigEndian.AppendUint64(b, uint64(h.Position))
		b = binary.BigEndian.AppendUint64(b, uint64(projections.Micros(h.Since)))
	}
	return b
}

func readHolds(hs []Held, b []byte) ([]Held, error) {
	if len(b)%heldSize != 0 {
		return nil, errPacked
	}
	for ; len(b) > 0; b = b[heldSize:] {
		if int(b[0]) >= len(holds) {
			return nil, errPacked
		}
		hs = append(hs, Held{
			holds[b[0]], event.Position(binary.BigEndian.Uint64(b[1:])),
			projections.Time(int64(binary.BigEndian.Uint64(b[9:]))),
		})
	}
	return hs, nil
}

// Suppression is one reason why a person is suppressed.
type Suppression struct {
	Person domain.ID
	Reason subscriber.Hold
	Since  time.Time
}

// Suppressions returns up to limit suppressions of the account in order of
// person and reason, after one of them (zero: from the start).
func Suppressions(ctx context.Context, r projections.Reader, account domain.ID, after Suppression, limit int) ([]Suppression, error) {
	var from []any
	if !after.Person.IsZero() {
		from = []any{after.Person[:], string(after.Reason)}
	}
	rows, err := r.Scan(ctx, suppressions, []any{account[:]}, from, limit)
	out := make([]Suppression, len(rows))
	for i, row := range rows {
		out[i] = Suppression{row.ID(1), subscriber.Hold(row.Text(2)), row.Time(3)}
	}
	return out, err
}
