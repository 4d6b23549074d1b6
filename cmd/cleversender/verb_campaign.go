package main

import (
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"

	"github.com/cleversender/cleversender/adapters/api"
	"github.com/cleversender/cleversender/domain"
	"github.com/cleversender/cleversender/domain/campaign"
)

type campaignVerbs struct {
	Draft         campaignDraftVerb     `cmd:"" help:"Draft a campaign."`
	Edit          campaignEditVerb      `cmd:"" help:"Replace a draft's settings."`
	Ls            campaignLsVerb        `cmd:"" help:"List the campaigns, newest first."`
	Show          campaignShowVerb      `cmd:"" help:"Show a campaign."`
	Test          campaignTestVerb      `cmd:"" help:"Send a test of a campaign, as it is now, to one address."`
	Schedule      campaignScheduleVerb  `cmd:"" help:"Set when a draft goes out."`
	Unschedule    campaignStepVerb      `cmd:"" help:"Call the start off."`
	Preflight     campaignPreflightVerb `cmd:"" help:"Show what speaks against a campaign's start."`
	Start         campaignStartVerb     `cmd:"" help:"Freeze a campaign and begin to send it."`
	Pause         campaignPauseVerb     `cmd:"" help:"Hold a campaign: no further message leaves."`
	Throttle      campaignThrottleVerb  `cmd:"" help:"Set how many messages of a campaign leave in an hour at most."`
	Resume        campaignStepVerb      `cmd:"" help:"Let a paused campaign go on."`
	Cancel        campaignStepVerb      `cmd:"" help:"End a campaign: whoever has not been sent to never will be."`
	ResendUnknown campaignStepVerb      `cmd:"" help:"Send again where it is unknown whether a message was sent."`
	Report        campaignReportVerb    `cmd:"" help:"Show what became of a campaign."`
}

type campaignSettings struct {
	Name        string      `help:"What the campaign is called." required:""`
	List        []domain.ID `help:"Ids of the lists it goes to."`
	Template    domain.ID   `help:"Id of the template."`
	FromName    string      `help:"Name of the sender."`
	FromEmail   string      `help:"Address of the sender."`
	ReplyTo     string      `help:"Where replies go."`
	TrackOpens  bool        `help:"Observe opens, of those who agreed to it."`
	TrackClicks bool        `help:"Observe clicks, of those who agreed to it."`
	MailServer  string      `help:"Name of the mail server that sends it; without, any that takes the sender's mail."`
	Window      string      `help:"When it may send: days, hours and a time zone." placeholder:"\"mon-fri 09:00-18:00 Europe/Berlin\""`
}

func (c campaignSettings) body() api.CampaignSettings {
	return api.CampaignSettings{
		Name: c.Name, Lists: c.List, Template: c.Template, FromName: c.FromName, FromEmail: c.FromEmail, ReplyTo: c.ReplyTo,
		Tracking: api.Tracking{Opens: c.TrackOpens, Clicks: c.TrackClicks}, Server: c.MailServer, Window: c.Window,
	}
}

type campaignDraftVerb struct{ campaignSettings }

// Run implements the verb.
func (v campaignDraftVerb) Run(s *session) error {
	var made api.CampaignID
	if err := s.post("/campaigns", v.body(), &made); err != nil {
		return err
	}
	return s.print(made, func(w io.Writer) { fmt.Fprintln(w, made.ID) })
}

type campaignEditVerb struct {
	ID string `arg:""`
	campaignSettings
}

// Run implements the verb.
func (v campaignEditVerb) Run(s *session) error {
	return s.done(s.call(http.MethodPut, "/campaigns/"+v.ID, v.body(), nil), "edited")
}

type campaignLsVerb struct{ paging }

// Run implements the verb.
func (v campaignLsVerb) Run(s *session) error {
	return listed(s, "/campaigns", v.paging, []string{"ID", "NAME", "STATUS", "RECIPIENTS", "STARTED"}, func(c api.Campaign) []string {
		return []string{c.ID.String(), c.Settings.Name, string(c.Status), strconv.Itoa(c.Recipients), date(c.StartedAt)}
	})
}

type campaignShowVerb struct {
	ID string `arg:""`
}

// Run implements the verb.
func (v campaignShowVerb) Run(s *session) error {
	var c api.Campaign
	if err := s.get("/campaigns/"+v.ID, &c); err != nil {
		return err
	}
	return s.print(c, func(w io.Writer) {
		table(w, []string{"id", c.ID.String()}, []string{"name", c.Settings.Name}, []string{"status", string(c.Status) + " " + c.Reason},
			[]string{"from", c.Settings.FromName + " <" + c.Settings.FromEmail + ">"}, []string{"template", c.Settings.Template.String()},
			[]string{"mail server", c.Settings.Server}, []string{"window", c.Settings.Window}, []string{"per hour", perHour(c.PerHour)},
			[]string{"held by", c.HeldBy}, []string{"held until", date(c.HeldUntil)},
			[]string{"recipients", strconv.Itoa(c.Recipients)}, []string{"starts", date(c.StartAt)},
			[]string{"started", date(c.StartedAt)}, []string{"ended", date(c.EndedAt)})
	})
}

type campaignScheduleVerb struct {
	ID string    `arg:""`
	At time.Time `arg:"" help:"When, RFC 3339: 2030-05-01T12:00:00Z."`
	reachedAt
	forceFlag
}

// Run implements the verb.
func (v campaignScheduleVerb) Run(s *session) error {
	s.base = v.base()
	return s.done(s.post("/campaigns/"+v.ID+"/schedule", api.CampaignSchedule{StartAt: v.At, CampaignForce: v.body()}, nil), "scheduled")
}

type campaignPauseVerb struct {
	ID     string `arg:""`
	Reason string `help:"Why; shown with the campaign."`
}

// Run implements the verb.
func (v campaignPauseVerb) Run(s *session) error {
	return s.done(s.post("/campaigns/"+v.ID+"/pause", api.CampaignPause{Reason: v.Reason}, nil), "paused")
}

type campaignThrottleVerb struct {
	ID      string `arg:""`
	PerHour int    `help:"Messages an hour; 0: as many as there are." required:""`
}

// Run implements the verb.
func (v campaignThrottleVerb) Run(s *session) error {
	return s.done(s.post("/campaigns/"+v.ID+"/throttle", api.CampaignThrottle{PerHour: v.PerHour}, nil), "throttled")
}

// perHour is a throttle; "" for none.
func perHour(n int) string {
	if n == 0 {
		return ""
	}
	return strconv.Itoa(n)
}

// campaignStepVerb is a step that needs nothing but the campaign; its own name
// on the command line says which.
type campaignStepVerb struct {
	ID string `arg:""`
}

// Run implements the verb.
func (v campaignStepVerb) Run(s *session) error {
	return s.done(s.post("/campaigns/"+v.ID+"/"+s.verb, nil, nil), "done: "+s.verb)
}

type campaignStartVerb struct {
	ID           string   `arg:""`
	Wait         bool     `help:"Show the progress until the campaign ends."`
	SMTP         []string `help:"Send from this process, by these servers, when no server runs." env:"CLEVERSENDER_SMTP" name:"smtp" sep:" "`
	BounceDomain string   `help:"Domain that bounces of what this process sends come back to." env:"CLEVERSENDER_BOUNCE_DOMAIN"`
	reachedAt
	forceFlag
}

// Run implements the verb.
func (v campaignStartVerb) Run(s *session) error {
	s.smtp, s.bounces, s.base = v.SMTP, v.BounceDomain, v.base()
	if err := s.post("/campaigns/"+v.ID+"/start", v.body(), nil); err != nil {
		return err
	}
	if v.Wait || s.sends() {
		if err := s.watch(v.ID); err != nil {
			return err
		}
		return campaignReportVerb{v.ID}.Run(s)
	}
	return s.done(nil, "started")
}

// watch shows a campaign's progress until it ends.
func (s *session) watch(id string) error {
	bar := s.bar(-1, "sending")
	defer func() { _ = bar.Close() }()
	for {
		var r api.Report
		if err := s.get("/campaigns/"+id+"/report", &r); err != nil {
			return err
		}
		if r.Recipients > 0 {
			bar.ChangeMax(r.Recipients)
		}
		_ = bar.Set(r.Sent + r.Withheld + r.Failed + r.Unknown)
		switch r.Status {
		case campaign.Done, campaign.CalledOff, campaign.Held:
			return nil
		}
		select {
		case <-s.ctx.Done():
			return s.ctx.Err()
		case <-time.After(200 * time.Millisecond):
		}
	}
}
