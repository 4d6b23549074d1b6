package sending

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"

	"github.com/cleversender/cleversender/commands"
	"github.com/cleversender/cleversender/domain"
	"github.com/cleversender/cleversender/domain/delivery"
	"github.com/cleversender/cleversender/domain/event"
)

// plan is the audience so far.
type plan struct {
	segments, recipients int
	last                 domain.ID // the recipient with the highest id
	digest               hash.Hash
}

func (p *plan) add(people []domain.ID) {
	for _, id := range people {
		p.digest.Write(id[:])
	}
	p.segments++
	p.recipients += len(people)
	p.last = people[len(people)-1]
}

// freeze fixes who the recipients are: everybody whom the lists may mail, in
// id order, each once. Segments are planned one after the other, and one that
// exists is adopted as it is: after a crash, or beside another worker, the
// audience comes out the same. Whoever may not be mailed any more by the time
// of their turn is withheld then.
func (s *Sender) freeze(ctx context.Context, m Mailing, started event.Position) error {
	if err := s.persist(ctx, "wait for the audience", func() error { return s.o.Audience.WaitFor(ctx, started) }); err != nil {
		return err
	}
	p := &plan{digest: sha256.New()}
	for adopting := true; ; {
		if adopting {
			planned, err := s.adopt(ctx, m, p)
			if err != nil {
				return err
			}
			if adopting = planned; planned {
				continue
			}
		}
		var people []domain.ID
		if err := s.persist(ctx, "read the audience", func() (err error) {
			people, err = s.o.Audience.Members(ctx, m.Account, m.Settings.Lists, p.last, s.o.SegmentSize)
			return err
		}); err != nil {
			return err
		}
		if len(people) == 0 {
			break
		}
		switch err := s.plan(ctx, m, p, people); {
		case errors.Is(err, delivery.ErrPlanned):
			adopting = true // another worker was first
		case err != nil:
			return err
		default:
			p.add(people)
		}
	}
	return handle(ctx, s, "freeze the audience", m, commands.FreezeAudience{
		Campaign: m.Campaign, Position: started, Recipients: p.recipients, Segments: p.segments,
		SHA256: hex.EncodeToString(p.digest.Sum(nil)),
	})
}

// adopt takes over the next segment when it is planned already.
func (s *Sender) adopt(ctx context.Context, m Mailing, p *plan) (bool, error) {
	var owner *commands.Owner[delivery.Segment, delivery.Event]
	err := s.persist(ctx, "load a segment", func() (err error) {
		owner, err = commands.Own[delivery.Segment, delivery.Event](ctx, s.o.Journal, m.Account, delivery.Stream(m.Campaign, p.segments))
		return err
	})
	if err != nil || !owner.State.IsPlanned() {
		return false, err
	}
	if owner.State.First != p.recipients {
		return false, fmt.Errorf("segment %d of campaign %s begins at %d, not at %d", p.segments, m.Campaign, owner.State.First, p.recipients)
	}
	p.add(owner.State.Subjects)
	return true, nil
}

func (s *Sender) plan(ctx context.Context, m Mailing, p *plan, people []domain.ID) error {
	return handle(ctx, s, "plan a segment", m, commands.PlanSegment{
		Campaign: m.Campaign, Segment: p.segments, First: p.recipients, Subjects: people,
	})
}
