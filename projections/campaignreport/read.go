package campaignreport

import (
	"context"
	"time"

	"github.com/cleversender/cleversender/domain"
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
	Unsubscribed      int       // people
	FirstAt, LastAt   time.Time // of anything in this report; zero: nothing happened yet
}

// Hits counts openings or clicks. All is every hit; Human is those for which no
// sign of a machine is known; People counts each recipient once.
type Hits struct {
	All, Human, People, HumanPeople int
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
func Find(ctx context.Context, r projections.Reader, account, campaign domain.ID) (rep Report, found bool, err error) {
	return Report{}, false, nil
}

// Links returns the tracked links of a campaign, in order. The caller has made
// sure (Find) that the campaign is the account's; so for all below.
func Links(ctx context.Context, r projections.Reader, campaign domain.ID) ([]Link, error) {
	return nil, nil
}

// Hours returns the hours in which something happened, in order.
func Hours(ctx context.Context, r projections.Reader, campaign domain.ID) ([]Hour, error) {
	return nil, nil
}

// Why returns the reasons.
func Why(ctx context.Context, r projections.Reader, campaign domain.ID) (Reasons, error) {
	return Reasons{}, nil
}
