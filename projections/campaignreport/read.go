package campaignreport

import (
	"context"
	"time"

	"github.com/cleversender/cleversender/domain"
	"github.com/cleversender/cleversender/domain/campaign"
	"github.com/cleversender/cleversender/domain/delivery"
	"github.com/cleversender/cleversender/projections"
)

// Report is what became of a campaign. Recipients = Waiting + Pending +
// Deferred + Sent + Withheld + Failed + Unknown, once the audience is frozen.
type Report struct {
	Account, Campaign domain.ID
	Recipients        int // frozen
	Waiting           int // nothing has been done for them yet
	Pending           int // intended, no result yet
	Deferred          int // a server said not now; their turn comes again
	Sent              int
	Withheld          int
	Failed            int
	Unknown           int // intended by a worker that is gone, no result: never sent again
	Deferrals         int // how often a server said not now, all in all
	Opens, Clicks     Hits
	Unsubscribed      int // people
	Bounces           Bounces
	Complained        int       // people
	FirstAt, LastAt   time.Time // of anything in this report
}

// Status is where the campaign stands, as far as the report has come: it has not
// finished before the report holds all that it finished with.
func (r Report) Status(is campaign.Status, end campaign.Finished) campaign.Status {
	if is == campaign.Done && end != (campaign.Finished{Sent: r.Sent, Withheld: r.Withheld, Failed: r.Failed, Unknown: r.Unknown}) {
		return campaign.Sending
	}
	return is
}

// Hits counts openings or clicks. All is every hit; Human is those for which no
// sign of a machine is known; People counts each recipient once.
type Hits struct {
	All, Human, People, HumanPeople int
}

// Bounces counts people whose message came back, or was refused to begin with:
// who bounced in two ways counts in both, and once in People, which automatic
// replies are not in.
type Bounces struct {
	People, Hard, Soft, Blocked, AutoReplies int
}

// Link is a tracked link of the campaign.
type Link struct {
	Index  int
	URL    string
	Clicks Hits
}

// Hour is what happened in one hour, for a chart.
type Hour struct {
	Start         time.Time
	Sent          int
	Failed        int
	Opens         int // human-likely
	MachineOpens  int
	Clicks        int // human-likely
	MachineClicks int
	Unsubscribed  int
}

// Reasons counts why.
type Reasons struct {
	Withheld      map[delivery.Reason]int // people
	Failed        map[delivery.Reason]int // people
	Deferred      map[string]int          // events, by "451" or "451 4.7.1"
	MachineOpens  map[string]int          // events, by engagement.Machine
	MachineClicks map[string]int
}

// Find returns the report of a campaign of the account. A campaign that has
// not started has none.
func Find(ctx context.Context, r projections.Reader, account, id domain.ID) (rep Report, found bool, err error) {
	row, err := r.Get(ctx, reports, id[:])
	if err != nil || row == nil || row.ID(1) != account {
		return Report{}, false, err
	}
	count := func(i int) int { return row.Int(4 + i) }
	standing := func(s delivery.Standing) int { return count(standingCount + int(s)) }
	rep = Report{
		Account: account, Campaign: id, Recipients: count(recipientsCount),
		Pending: standing(delivery.Pending), Deferred: standing(delivery.Again), Sent: standing(delivery.Sent),
		Withheld: standing(delivery.Excluded), Failed: standing(delivery.Undelivered), Unknown: standing(delivery.InDoubt),
		Deferrals: count(deferralsCount), Opens: hits(row, 4+opensCount), Clicks: hits(row, 4+clicksCount),
		Unsubscribed: count(unsubscribedCount), Complained: count(complainedCount), Bounces: Bounces{
			People: count(bouncedCount), Hard: count(bouncedCount + 1), Soft: count(bouncedCount + 2), Blocked: count(bouncedCount + 3),
			AutoReplies: count(bouncedCount + 4),
		}, FirstAt: row.Time(2), LastAt: row.Time(3),
	}
	rep.Waiting = max(0, rep.Recipients-rep.Pending-rep.Deferred-rep.Sent-rep.Withheld-rep.Failed-rep.Unknown)
	return rep, true, nil
}

func hits(row projections.Row, i int) Hits {
	return Hits{All: row.Int(i), Human: row.Int(i + 1), People: row.Int(i + 2), HumanPeople: row.Int(i + 3)}
}

// most is how many links, hours or reasons of one campaign are read.
const most = 10_000

// Links returns the tracked links of a campaign, in order. The caller has made
// sure (Find) that the campaign is the account's; so for all below.
func Links(ctx context.Context, r projections.Reader, campaign domain.ID) ([]Link, error) {
	rows, err := r.Scan(ctx, links, []any{campaign[:]}, nil, most)
	out := make([]Link, len(rows))
	for i, row := range rows {
		out[i] = Link{row.Int(1), row.Text(2), hits(row, 3)}
	}
	return out, err
}

// Hours returns the hours in which something happened, in order.
func Hours(ctx context.Context, r projections.Reader, campaign domain.ID) ([]Hour, error) {
	rows, err := r.Scan(ctx, hours, []any{campaign[:]}, nil, most)
	out := make([]Hour, len(rows))
	for i, row := range rows {
		count := func(i int) int { return row.Int(2 + i) }
		out[i] = Hour{
			Start: time.Unix(row[1].(int64), 0).UTC(), Sent: count(hourSent), Failed: count(hourFailed),
			Opens: count(hourOpens), MachineOpens: count(hourMachineOpens),
			Clicks: count(hourClicks), MachineClicks: count(hourMachineClicks), Unsubscribed: count(hourUnsubscribed),
		}
	}
	return out, err
}

// Why returns the reasons.
func Why(ctx context.Context, r projections.Reader, campaign domain.ID) (Reasons, error) {
	why := Reasons{
		map[delivery.Reason]int{}, map[delivery.Reason]int{}, map[string]int{}, map[string]int{}, map[string]int{},
	}
	rows, err := r.Scan(ctx, reasons, []any{campaign[:]}, nil, most)
	for _, row := range rows {
		reason, n := row.Text(2), row.Int(3)
		switch row.Text(1) {
		case withheld:
			why.Withheld[delivery.Reason(reason)] = n
		case failed:
			why.Failed[delivery.Reason(reason)] = n
		case deferred:
			why.Deferred[reason] = n
		case machineOpen:
			why.MachineOpens[reason] = n
		case machineClick:
			why.MachineClicks[reason] = n
		}
	}
	return why, err
}
