package web

import (
	"context"
	"encoding/json"
	"net/http"
	"strconv"
	"time"

	"github.com/cleversender/cleversender/commands"
	"github.com/cleversender/cleversender/domain"
	"github.com/cleversender/cleversender/domain/campaign"
	"github.com/cleversender/cleversender/domain/delivery"
	"github.com/cleversender/cleversender/domain/engagement"
	"github.com/cleversender/cleversender/projections/audience"
	"github.com/cleversender/cleversender/projections/campaignlist"
	"github.com/cleversender/cleversender/projections/campaignreport"
	"github.com/cleversender/cleversender/projections/messages"
	"github.com/cleversender/cleversender/projections/templates"
)

// campaignRow is a campaign in the list, with how far it has come.
type campaignRow struct {
	campaignlist.Campaign
	Report campaignreport.Report
}

// Live reports that its numbers are moving.
func (c campaignRow) Live() bool {
	return c.Status == campaign.Sending || c.Status == campaign.Waiting
}

// Over reports that nothing more will happen to it.
func (c campaignRow) Over() bool {
	return c.Status == campaign.Done || c.Status == campaign.CalledOff
}

// Done is how many recipients are settled.
func (c campaignRow) Done() int { return settled(c.Report) }

func settled(r campaignreport.Report) int { return r.Sent + r.Withheld + r.Failed + r.Unknown }

func (s *site) campaigns(w http.ResponseWriter, r *http.Request, who session) error {
	ctx := r.Context()
	found, err := campaignlist.Recent(ctx, s.rows(campaignlist.Projection.Name), who.account, campaignlist.Cursor(afterNumber(r)), perPage+1)
	if err != nil {
		return err
	}
	shown, next := cut(found, func(c campaignlist.Campaign) string { return strconv.FormatInt(int64(c.Cursor()), 10) })
	rows := make([]campaignRow, len(shown))
	for i, c := range shown {
		report, _, err := campaignreport.Find(ctx, s.rows(campaignreport.Projection.Name), who.account, c.ID)
		if err != nil {
			return err
		}
		c.Status = report.Status(c.Status, c.Totals)
		rows[i] = campaignRow{c, report}
	}
	return s.show(w, r, who, "campaigns", view{Title: "Campaigns", Section: "campaigns", Data: struct {
		Campaigns []campaignRow
		Next      string
	}{rows, next}})
}

// campaignPage is everything about one campaign.
type campaignPage struct {
	campaignRow
	Form     domain.ID // of the next test
	Tests    []messages.Message
	Lists    []audience.List
	Template templates.Template
	HeldBy   string // the limit that lets it wait, and until when
	Until    time.Time
	Links    []linkRow
	Why      campaignreport.Reasons
	Withheld []reasonCount
	Failed   []reasonCount
	Machines []machineCount
	Funnel   []funnelStep
	Charts   []chart
	Hours    []campaignreport.Hour
}

// linkRow is a link, with the clicks that were a machine's.
type linkRow struct {
	campaignreport.Link
	Machine int
}

type reasonCount struct {
	Reason delivery.Reason
	People int
}

// machineCount is hits that are counted apart, for one reason.
type machineCount struct {
	Reason        engagement.Machine
	Opens, Clicks int
}

func (s *site) campaign(w http.ResponseWriter, r *http.Request, who session) error {
	p, err := s.findCampaign(r, who)
	if err != nil {
		return err
	}
	if !p.StartedAt.IsZero() {
		if err := s.fillReport(r.Context(), &p); err != nil {
			return err
		}
	}
	p.Form = s.NewID()
	if p.Tests, err = messages.Tests(r.Context(), s.rows(messages.Projection.Name), who.account, p.ID, perTests); err != nil {
		return err
	}
	v := view{Title: p.Settings.Name, Section: "campaigns", Data: p}
	return s.show(w, r, who, "campaign", v)
}

// findCampaign is the campaign in the path, with its lists and template.
func (s *site) findCampaign(r *http.Request, who session) (p campaignPage, err error) {
	id, err := pathID(r)
	if err != nil {
		return p, err
	}
	ctx := r.Context()
	c, found, err := campaignlist.Find(ctx, s.rows(campaignlist.Projection.Name), who.account, id)
	if err == nil && !found {
		err = commands.ErrNotFound
	}
	if err != nil {
		return p, err
	}
	p.Campaign = c
	if p.Report, _, err = campaignreport.Find(ctx, s.rows(campaignreport.Projection.Name), who.account, id); err != nil {
		return p, err
	}
	if p.Status = p.Report.Status(c.Status, c.Totals); p.Status == campaign.Sending {
		p.HeldBy, p.Until = s.Held(id)
	}
	for _, id := range c.Settings.Lists {
		l, found, err := audience.FindList(ctx, s.rows(audience.Projection.Name), who.account, id)
		if err != nil {
			return p, err
		}
		if found {
			p.Lists = append(p.Lists, l)
		}
	}
	p.Template, _, err = templates.Find(ctx, s.rows(templates.Projection.Name), who.account, c.Settings.Template)
	return p, err
}

func (s *site) fillReport(ctx context.Context, p *campaignPage) (err error) {
	rows := s.rows(campaignreport.Projection.Name)
	links, err := campaignreport.Links(ctx, rows, p.ID)
	if err != nil {
		return err
	}
	for _, l := range links {
		p.Links = append(p.Links, linkRow{l, l.Clicks.All - l.Clicks.Human})
	}
	if p.Why, err = campaignreport.Why(ctx, rows, p.ID); err != nil {
		return err
	}
	if p.Hours, err = campaignreport.Hours(ctx, rows, p.ID); err != nil {
		return err
	}
	p.Withheld, p.Failed = sorted(p.Why.Withheld), sorted(p.Why.Failed)
	for _, m := range engagement.Machines {
		c := machineCount{m, p.Why.MachineOpens[string(m)], p.Why.MachineClicks[string(m)]}
		if c.Opens+c.Clicks > 0 {
			p.Machines = append(p.Machines, c)
		}
	}
	p.Funnel, p.Charts = funnel(p.Report), charts(p.Hours)
	return nil
}

// live is what a page of a campaign keeps up to date by itself.
type live struct {
	Status     campaign.Status `json:"status"`
	StatusName string          `json:"status_name"`
	Recipients int             `json:"recipients"`
	Done       int             `json:"done"`
	Sent       int             `json:"sent"`
	Withheld   int             `json:"withheld"`
	Failed     int             `json:"failed"`
	Opened     int             `json:"opened"`
	Clicked    int             `json:"clicked"`
	Left       int             `json:"unsubscribed"`
}

func (s *site) progress(w http.ResponseWriter, r *http.Request, who session) error {
	id, err := pathID(r)
	if err != nil {
		return err
	}
	ctx := r.Context()
	c, found, err := campaignlist.Find(ctx, s.rows(campaignlist.Projection.Name), who.account, id)
	if err == nil && !found {
		err = commands.ErrNotFound
	}
	if err != nil {
		return err
	}
	p, _, err := campaignreport.Find(ctx, s.rows(campaignreport.Projection.Name), who.account, id)
	if err != nil {
		return err
	}
	c.Status = p.Status(c.Status, c.Totals)
	w.Header().Set("Content-Type", "application/json")
	return json.NewEncoder(w).Encode(live{
		c.Status, statusNames[c.Status], p.Recipients, settled(p), p.Sent, p.Withheld, p.Failed,
		p.Opens.HumanPeople, p.Clicks.HumanPeople, p.Unsubscribed,
	})
}

// listNames names the lists of an account.
func (s *site) listNames(ctx context.Context, account domain.ID) (map[domain.ID]string, error) {
	all, err := audience.Lists(ctx, s.rows(audience.Projection.Name), account, domain.ID{}, 1000)
	names := make(map[domain.ID]string, len(all))
	for _, l := range all {
		names[l.ID] = l.Name
	}
	return names, err
}
