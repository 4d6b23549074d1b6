package api

import (
	"context"
	"net/http"
	"time"

	"github.com/cleversender/cleversender/domain"
	"github.com/cleversender/cleversender/domain/campaign"
	"github.com/cleversender/cleversender/domain/delivery"
	"github.com/cleversender/cleversender/projections/campaignreport"
)

// Report is what became of a campaign. Recipients = waiting + pending +
// deferred + sent + withheld + failed + unknown, once the audience is frozen.
type Report struct {
	Campaign     domain.ID               `json:"campaign"`
	Status       campaign.Status         `json:"status"`
	Recipients   int                     `json:"recipients"`
	Waiting      int                     `json:"waiting" doc:"nothing has been done for them yet"`
	Pending      int                     `json:"pending" doc:"intended, no result yet"`
	Deferred     int                     `json:"deferred" doc:"a server said not now"`
	Sent         int                     `json:"sent"`
	Withheld     int                     `json:"withheld"`
	Failed       int                     `json:"failed"`
	Unknown      int                     `json:"unknown" doc:"intended and interrupted: never resent in silence"`
	Deferrals    int                     `json:"deferrals"`
	Unsubscribed int                     `json:"unsubscribed"`
	Bounced      Bounced                 `json:"bounced"`
	Complained   int                     `json:"complained" doc:"people who called the message unwanted"`
	Opens        Hits                    `json:"opens"`
	Clicks       Hits                    `json:"clicks"`
	WithheldWhy  map[delivery.Reason]int `json:"withheld_why" nullable:"false"`
	FailedWhy    map[delivery.Reason]int `json:"failed_why" nullable:"false"`
	Machines     MachineHits             `json:"machines"`
	Links        []ReportLink            `json:"links" nullable:"false"`
	Hours        []ReportHour            `json:"hours" nullable:"false"`
	FirstAt      time.Time               `json:"first_at,omitzero"`
	LastAt       time.Time               `json:"last_at,omitzero"`
}

// Hits counts openings or clicks. Human is those with no sign of a machine.
type Hits struct {
	All         int `json:"all"`
	Human       int `json:"human"`
	People      int `json:"people" doc:"each recipient once"`
	HumanPeople int `json:"human_people"`
}

// Bounced counts people whose message came back, or was refused to begin with.
type Bounced struct {
	People      int `json:"people" doc:"each once; automatic replies are not among them"`
	Hard        int `json:"hard" doc:"nothing will ever reach the mailbox"`
	Soft        int `json:"soft" doc:"the mailbox does not take mail now"`
	Blocked     int `json:"blocked" doc:"the mail server does not want us, or the message"`
	AutoReplies int `json:"auto_replies"`
}

// MachineHits counts hits by why they are thought to be a machine's.
type MachineHits struct {
	Opens  map[string]int `json:"opens" nullable:"false"`
	Clicks map[string]int `json:"clicks" nullable:"false"`
}

// ReportLink is a tracked link.
type ReportLink struct {
	Index  int    `json:"index"`
	URL    string `json:"url"`
	Clicks Hits   `json:"clicks"`
}

// ReportHour is what happened in one hour.
type ReportHour struct {
	Start         time.Time `json:"start"`
	Sent          int       `json:"sent"`
	Failed        int       `json:"failed"`
	Opens         int       `json:"opens" doc:"by people, likely"`
	MachineOpens  int       `json:"machine_opens"`
	Clicks        int       `json:"clicks" doc:"by people, likely"`
	MachineClicks int       `json:"machine_clicks"`
	Unsubscribed  int       `json:"unsubscribed"`
}

func (s *Server) reportRoutes() {
	add(s, route(http.MethodGet, "/campaigns/{id}/report", "get-report", "campaigns", "Show what became of a campaign"),
		func(ctx context.Context, in *struct {
			ByID
			Waiting
		}) (*Shown[Report], error) {
			r, err := s.report(ctx, in.ID, in.Waiting)
			return &Shown[Report]{r}, err
		})
}

// report is all zero for a campaign that has not started.
func (s *Server) report(ctx context.Context, id domain.ID, w Waiting) (Report, error) {
	c, err := s.findCampaign(ctx, id, w)
	if err != nil {
		return Report{}, err
	}
	out := Report{Campaign: id, Links: []ReportLink{}, Hours: []ReportHour{}}
	rows, err := s.read(ctx, campaignreport.Projection.Name, w)
	if err != nil {
		return out, err
	}
	rep, _, err := campaignreport.Find(ctx, rows, callerOf(ctx).account, id)
	if err != nil {
		return out, err
	}
	out.Status = rep.Status(c.Status, c.Totals)
	out.Recipients, out.Waiting, out.Pending, out.Deferred = rep.Recipients, rep.Waiting, rep.Pending, rep.Deferred
	out.Sent, out.Withheld, out.Failed, out.Unknown = rep.Sent, rep.Withheld, rep.Failed, rep.Unknown
	out.Deferrals, out.Unsubscribed = rep.Deferrals, rep.Unsubscribed
	out.Bounced, out.Complained = Bounced(rep.Bounces), rep.Complained
	out.Opens, out.Clicks, out.FirstAt, out.LastAt = Hits(rep.Opens), Hits(rep.Clicks), rep.FirstAt, rep.LastAt
	why, err := campaignreport.Why(ctx, rows, id)
	if err != nil {
		return out, err
	}
	out.WithheldWhy, out.FailedWhy = orEmpty(why.Withheld), orEmpty(why.Failed)
	out.Machines = MachineHits{orEmpty(why.MachineOpens), orEmpty(why.MachineClicks)}
	links, err := campaignreport.Links(ctx, rows, id)
	if err != nil {
		return out, err
	}
	for _, l := range links {
		out.Links = append(out.Links, ReportLink{l.Index, l.URL, Hits(l.Clicks)})
	}
	hours, err := campaignreport.Hours(ctx, rows, id)
	for _, h := range hours {
		out.Hours = append(out.Hours, ReportHour(h))
	}
	return out, err
}

func orEmpty[K comparable](m map[K]int) map[K]int {
	if m == nil {
		return map[K]int{}
	}
	return m
}
