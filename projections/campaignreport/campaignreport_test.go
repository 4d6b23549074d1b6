package campaignreport_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/cleversender/cleversender/domain"
	"github.com/cleversender/cleversender/domain/campaign"
	"github.com/cleversender/cleversender/domain/delivery"
	"github.com/cleversender/cleversender/domain/engagement"
	"github.com/cleversender/cleversender/domain/event"
	"github.com/cleversender/cleversender/projections/campaignreport"
	"github.com/cleversender/cleversender/projections/projectiontest"
)

var (
	acct = projectiontest.ID(projectiontest.Account, 0)
	id   = projectiontest.ID(projectiontest.Campaign, 0)
	w1   = projectiontest.ID(projectiontest.Worker, 0)
	w2   = projectiontest.ID(projectiontest.Worker, 1)
)

type story struct {
	*testing.T
	projectiontest.History
}

// begin is a campaign with two links and a segment of six, of ten recipients.
func begin(t *testing.T) *story {
	s := &story{T: t}
	s.add(campaign.Stream(id), campaign.Started{Content: campaign.Content{Links: []string{"https://a.example", "https://b.example"}}},
		campaign.AudienceFrozen{Recipients: 10})
	s.add(delivery.Stream(id, 0), delivery.Planned{Campaign: id, Subjects: make(delivery.Subjects, 6)}, delivery.Claimed{Worker: w1})
	return s
}

func (s *story) add(stream string, data ...any) {
	for _, d := range data {
		s.Add(1, acct, stream, domain.ID{}, d)
	}
}

func (s *story) sends(data ...any) { s.add(delivery.Stream(id, 0), data...) }
func (s *story) hits(data ...any)  { s.add(engagement.Stream(id, w1), data...) }

func (s *story) fold() projectiontest.Tables {
	s.Helper()
	tables, err := projectiontest.Fold(campaignreport.Projection, s.Events)
	if err != nil {
		s.Fatal(err)
	}
	return tables
}

func (s *story) report() campaignreport.Report {
	s.Helper()
	r, found, err := campaignreport.Find(s.Context(), s.fold(), acct, id)
	if err != nil || !found {
		s.Fatal(found, err)
	}
	return r
}

func (s *story) equal(got, want any) {
	s.Helper()
	if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
		s.Fatalf("-want +got\n%s", diff)
	}
}

func intend(n ...int) delivery.Intended { return delivery.Intended{Campaign: id, Ordinals: n} }
func accept(n ...int) delivery.Accepted {
	return delivery.Accepted{Campaign: id, Ordinals: n, Code: 250}
}

// Every recipient is in one place, whatever became of them, and the places add up.
func TestWhereEachRecipientIs(t *testing.T) {
	s := begin(t)
	s.sends(intend(0, 1, 2), intend(3, 4),
		delivery.Withheld{Campaign: id, Ordinal: 5, Reason: delivery.Revoked},
		accept(0),
		delivery.Failed{Campaign: id, Ordinal: 1, Code: 550, Reason: delivery.Rejected},
		delivery.Deferred{Campaign: id, Ordinal: 2, Code: 451, Enhanced: "4.7.1"},
		delivery.Deferred{Campaign: id, Ordinal: 3},
	)
	r := s.report()
	s.equal(r, campaignreport.Report{
		Account: acct, Campaign: id, Recipients: 10, Waiting: 5, Pending: 1, Deferred: 1, Sent: 1, Withheld: 1, Failed: 1,
		Deferrals: 1, FirstAt: r.FirstAt, LastAt: s.Events[len(s.Events)-1].At,
	})
	s.sends(delivery.Claimed{Worker: w1})
	s.equal(s.report().Pending, 1)
	s.sends(delivery.Claimed{Worker: w2})
	s.equal(s.report().Pending, 0)
	s.equal(s.report().Unknown, 1)
	s.sends(intend(2), accept(2))
	r = s.report()
	s.equal(r.Sent, 2)
	s.equal(r.Deferred, 0)
	s.equal(r.Waiting+r.Pending+r.Deferred+r.Sent+r.Withheld+r.Failed+r.Unknown, r.Recipients)
	why, err := campaignreport.Why(t.Context(), s.fold(), id)
	s.equal(err, nil)
	s.equal(why, campaignreport.Reasons{
		Withheld: map[delivery.Reason]int{delivery.Revoked: 1},
		Failed:   map[delivery.Reason]int{delivery.Rejected: 1},
		Deferred: map[string]int{"451 4.7.1": 1},
	})
}

// Hits of machines are counted apart, people once, and links each for itself.
func TestOpensAndClicks(t *testing.T) {
	s := begin(t)
	open := func(n int, m engagement.Machine) any { return engagement.Opened{Campaign: id, Ordinal: n, Machine: m} }
	click := func(n, link int, m engagement.Machine) any {
		return engagement.Clicked{Campaign: id, Ordinal: n, Link: link, Machine: m}
	}
	s.hits(open(0, ""), open(0, ""), open(0, engagement.ImageProxy), open(1, engagement.ImageProxy), open(1, engagement.ImageProxy),
		click(0, 0, ""), click(0, 1, ""), click(0, 1, ""), click(2, 1, engagement.Scanner),
		engagement.Unsubscribed{Campaign: id, Ordinal: 2}, engagement.Unsubscribed{Campaign: id, Ordinal: 2})
	r := s.report()
	s.equal(r.Opens, campaignreport.Hits{All: 5, Human: 2, People: 2, HumanPeople: 1})
	s.equal(r.Clicks, campaignreport.Hits{All: 4, Human: 3, People: 2, HumanPeople: 1})
	s.equal(r.Unsubscribed, 1)
	links, err := campaignreport.Links(t.Context(), s.fold(), id)
	s.equal(err, nil)
	s.equal(links, []campaignreport.Link{
		{Index: 0, URL: "https://a.example", Clicks: campaignreport.Hits{All: 1, Human: 1, People: 1, HumanPeople: 1}},
		{Index: 1, URL: "https://b.example", Clicks: campaignreport.Hits{All: 3, Human: 2, People: 2, HumanPeople: 1}},
	})
	why, err := campaignreport.Why(t.Context(), s.fold(), id)
	s.equal(err, nil)
	s.equal(why.MachineOpens, map[string]int{"proxy": 3})
	s.equal(why.MachineClicks, map[string]int{"scanner": 1})
}

// The hours of a campaign add up to its counts.
func TestHours(t *testing.T) {
	s := begin(t)
	s.sends(intend(0), accept(0))
	s.Add(600, acct, engagement.Stream(id, w1), domain.ID{}, engagement.Opened{Campaign: id, Ordinal: 0})
	s.hits(engagement.Clicked{Campaign: id, Ordinal: 0}, engagement.Opened{Campaign: id, Ordinal: 0, Machine: engagement.HeadProbe},
		engagement.Unsubscribed{Campaign: id, Ordinal: 0})
	hours, err := campaignreport.Hours(t.Context(), s.fold(), id)
	s.equal(err, nil)
	first := s.Events[0].At.Truncate(3600e9)
	s.equal(hours, []campaignreport.Hour{
		{Start: first, Sent: 1},
		{Start: first.Add(2 * 3600e9), Opens: 1, MachineOpens: 1, Clicks: 1, Unsubscribed: 1},
	})
}

// Another account is told nothing.
func TestOtherAccount(t *testing.T) {
	s := begin(t)
	_, found, err := campaignreport.Find(t.Context(), s.fold(), projectiontest.ID(projectiontest.Account, 1), id)
	s.equal(err, nil)
	s.equal(found, false)
}

// Pages of any size over many chunks count the same people.
func TestManyRecipients(t *testing.T) {
	const n = 20_000
	s := begin(t)
	var pages [][]event.Recorded
	for i := range n {
		s.hits(engagement.Opened{Campaign: id, Ordinal: (i * 7919) % n}, engagement.Clicked{Campaign: id, Ordinal: i / 2})
	}
	for rest := s.Events; len(rest) > 0; {
		size := min(len(rest), 7001)
		pages, rest = append(pages, rest[:size]), rest[size:]
	}
	tables, err := projectiontest.Fold(campaignreport.Projection, pages...)
	s.equal(err, nil)
	r, _, err := campaignreport.Find(t.Context(), tables, acct, id)
	s.equal(err, nil)
	s.equal(r.Opens, campaignreport.Hits{All: n, Human: n, People: n, HumanPeople: n})
	s.equal(r.Clicks, campaignreport.Hits{All: n, Human: n, People: n / 2, HumanPeople: n / 2})
}
