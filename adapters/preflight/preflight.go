// Package preflight answers what speaks against starting a campaign, before
// anybody gets it.
//
// Every rule gives one finding, with a code that never changes:
//
//	block      the start is refused, unless the account forces it by the code
//	warn       somebody should look at it
//	unchecked  it could not be found out: no DNS, no answer, nothing to look at
//	ok         nothing found
//
// Rules is the table. What the network does not tell never blocks: a name that
// is not there counts only when the resolver knows the root, and no answer is
// no finding. Findings quote what the account wrote and what its own DNS says;
// never what a recipient told us, and no link that is made of that is fetched.
package preflight

import (
	"context"
	"net/http"
	"time"

	"github.com/cleversender/cleversender/adapters/eventlog"
	"github.com/cleversender/cleversender/domain"
	"github.com/cleversender/cleversender/domain/campaign"
	"github.com/cleversender/cleversender/projections/audience"
)

// Level is how much a finding matters. Names are API.
type Level string

const (
	Block     Level = "block"
	Warn      Level = "warn"
	Unchecked Level = "unchecked"
	OK        Level = "ok"
)

// Finding is what one rule says.
type Finding struct {
	Code    string
	Level   Level
	Text    string   // a sentence for people
	Details []string // the links, variables, lists that it is about
}

// Report is what every rule says, in the order of Rules.
type Report []Finding

// Blocked lists the codes of what blocks.
func (r Report) Blocked() (codes []string) {
	for _, f := range r {
		if f.Level == Block {
			codes = append(codes, f.Code)
		}
	}
	return codes
}

// Letter is what a campaign says.
type Letter struct {
	HTML      string   // as it was written
	Variables []string // of a person, written without a default or a condition
	// Render makes somebody's message; with tracking, as the campaign and they
	// allow it, or else with the links as they were written. It may refuse.
	Render func(p Person, tracking bool) (Message, error)
}

// Message is a letter, as one recipient would see it.
type Message struct{ Subject, HTML, Text, UnsubscribeURL string }

// Deps is what preflight stands on.
type Deps struct {
	Audience Audience
	// Open makes sealed values plain, in place, or erased.
	Open func(ctx context.Context, values []eventlog.SealedValue) error
	// Letter is what a campaign says; a refusal: no message can be made of it.
	Letter func(ctx context.Context, account domain.ID, s campaign.Settings) (Letter, error)
	// Keys are those that sign mail from a domain; nil: there are none.
	Keys func(ctx context.Context, account domain.ID, domain string) ([]Key, error)

	Resolver     Resolver     // nil: the DNS is not asked
	Client       *http.Client // fetches links; guard it (Guarded)
	BaseURL      string       // where recipients reach this server
	BounceDomain string       // of the return paths; "": that of the sender
	Sends        bool         // this process has a mail server to send by
}

// Checker runs the rules.
type Checker struct{ deps Deps }

// New makes a checker.
func New(d Deps) *Checker { return &Checker{d} }

const (
	dnsTime   = 3 * time.Second
	viewTime  = 2 * time.Second
	fetchTime = 20 * time.Second
)

// facts is what the rules look at.
type facts struct {
	settings      campaign.Settings
	from, replies string // domains, in A-labels; "": none
	envelope      string // domain that messages are returned to
	base          string
	sends         bool
	broken        error // no message can be made; the letter and the sample are empty
	lists         []audience.List
	stale         bool // the view of the audience is not up to date
	letter        Letter
	sample        sample
	keys          []Key
	dns           records
	fetch         bool     // links are fetched
	dead          []string // those that lead nowhere, and why
}

// Check looks at a campaign as it is now; with links, those of its template are
// fetched. Its errors are faults: of the log, of the read models.
func (c *Checker) Check(ctx context.Context, account domain.ID, s campaign.Settings, links bool) (Report, error) {
	f, err := c.gather(ctx, account, s, links)
	if err != nil {
		return nil, err
	}
	report := make(Report, len(Rules))
	for i, r := range Rules {
		report[i] = r.find(f)
	}
	return report, nil
}
