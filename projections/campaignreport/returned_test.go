package campaignreport_test

import (
	"testing"

	"github.com/cleversender/cleversender/domain"
	"github.com/cleversender/cleversender/domain/bounce"
	"github.com/cleversender/cleversender/domain/event"
	"github.com/cleversender/cleversender/domain/subscriber"
	"github.com/cleversender/cleversender/projections/campaignreport"
	"github.com/cleversender/cleversender/projections/projectiontest"
)

// tells is reports of a person's messages.
func (s *story) tells(data ...any) {
	s.add(subscriber.Stream(projectiontest.ID(projectiontest.Person, 0)), data...)
}

func came(ordinal int, k bounce.Kind) bounce.Received {
	return bounce.Received{Campaign: id, Ordinal: ordinal, Kind: k}
}

// People are counted once in each way in which their message came back, and
// once in all; an automatic reply is none; a message of its own is in no report.
func TestBounces(t *testing.T) {
	s := begin(t)
	s.tells(came(0, bounce.Soft), came(0, bounce.Hard), came(0, bounce.Hard), came(1, bounce.Block), came(2, bounce.AutoReply),
		came(2, bounce.Soft), came(3, bounce.AutoReply), came(9, "whim"),
		bounce.Received{Message: id, Kind: bounce.Hard}, bounce.Complained{Message: id},
		bounce.Complained{Campaign: id, Ordinal: 1}, bounce.Complained{Campaign: id, Ordinal: 1}, bounce.Complained{Campaign: id, Ordinal: 4})
	r := s.report()
	s.equal(r.Bounces, campaignreport.Bounces{People: 3, Hard: 1, Soft: 2, Blocked: 1, AutoReplies: 2})
	s.equal(r.Complained, 2)
	s.equal(r.Recipients, 10)
	_, found, err := campaignreport.Find(t.Context(), s.fold(), acct, domain.ID{})
	s.equal(err, nil)
	s.equal(found, false)
}

// Pages of any size over many chunks count the same people, beside what they
// are known to have done.
func TestManyBounces(t *testing.T) {
	const n = 9_000
	s := begin(t)
	var pages [][]event.Recorded
	for i := range n {
		s.tells(came((i*7919)%n, bounce.Hard), came(i/2, bounce.Soft), bounce.Complained{Campaign: id, Ordinal: i})
	}
	for rest := s.Events; len(rest) > 0; {
		size := min(len(rest), 4001)
		pages, rest = append(pages, rest[:size]), rest[size:]
	}
	tables, err := projectiontest.Fold(campaignreport.Projection, pages...)
	s.equal(err, nil)
	r, _, err := campaignreport.Find(t.Context(), tables, acct, id)
	s.equal(err, nil)
	s.equal(r.Bounces, campaignreport.Bounces{People: n, Hard: n, Soft: n / 2})
	s.equal(r.Complained, n)
}
