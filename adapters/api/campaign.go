package api

import (
	"context"
	"net/http"
	"time"

	"github.com/cleversender/cleversender/commands"
	"github.com/cleversender/cleversender/domain"
	"github.com/cleversender/cleversender/domain/campaign"
	"github.com/cleversender/cleversender/domain/template"
	"github.com/cleversender/cleversender/projections/campaignlist"
)

// CampaignSettings is what the marketer decides. What is missing can be added
// until the campaign starts.
type CampaignSettings struct {
	Name      string      `json:"name" minLength:"1" maxLength:"200"`
	Lists     []domain.ID `json:"lists,omitempty" nullable:"false" maxItems:"100"`
	Template  domain.ID   `json:"template,omitzero"`
	FromName  string      `json:"from_name,omitempty" maxLength:"200"`
	FromEmail string      `json:"from_email,omitempty" maxLength:"254"`
	ReplyTo   string      `json:"reply_to,omitempty" maxLength:"254"`
	Tracking  Tracking    `json:"tracking,omitzero"`
	Server    string      `json:"server,omitempty" maxLength:"200" doc:"name of the mail server that sends it; without, any that takes the sender's mail"`
	Window    string      `json:"window,omitempty" maxLength:"100" doc:"when it may send: days, hours, and a time zone" example:"mon-fri 09:00-18:00 Europe/Berlin"`
}

// Tracking is what the campaign would like to observe; each person's consent
// decides what it may.
type Tracking struct {
	Opens  bool `json:"opens,omitempty"`
	Clicks bool `json:"clicks,omitempty"`
}

// CampaignID names a campaign.
type CampaignID struct {
	ID domain.ID `json:"id"`
}

// Campaign is one mailing and where it stands.
type Campaign struct {
	ID          domain.ID        `json:"id"`
	Settings    CampaignSettings `json:"settings"`
	Status      campaign.Status  `json:"status" doc:"draft, scheduled, sending, paused, finished or cancelled"`
	Reason      string           `json:"reason,omitempty" doc:"of the pause; where the engine paused it, a stable code, a colon, and a sentence"`
	PerHour     int              `json:"per_hour,omitempty" doc:"messages an hour, at most"`
	HeldBy      string           `json:"held_by,omitempty" doc:"the limit that lets it wait while it is sending: window, warmup, throttle, account, rate or breaker"`
	HeldUntil   time.Time        `json:"held_until,omitzero" doc:"when that limit lets it go on"`
	CreatedAt   time.Time        `json:"created_at"`
	EditedAt    time.Time        `json:"edited_at,omitzero"`
	StartAt     time.Time        `json:"start_at,omitzero" doc:"when it is scheduled for"`
	StartedAt   time.Time        `json:"started_at,omitzero"`
	EndedAt     time.Time        `json:"ended_at,omitzero"`
	Recipients  int              `json:"recipients"`
	ContentHash string           `json:"content_sha256,omitempty" doc:"of what every recipient gets, once started"`
}

// CampaignSchedule says when to start.
type CampaignSchedule struct {
	StartAt time.Time `json:"start_at"`
	CampaignForce
}

// CampaignPause says why.
type CampaignPause struct {
	Reason string `json:"reason,omitempty" maxLength:"500"`
}

// CampaignThrottle says how fast.
type CampaignThrottle struct {
	PerHour int `json:"per_hour" minimum:"0" doc:"messages at most; 0: as many as there are"`
}

func (s *Server) campaignRoutes() {
	add(s, created(route(http.MethodPost, "/campaigns", "draft-campaign", "campaigns", "Draft a campaign")),
		func(ctx context.Context, in *struct {
			Idempotent
			Body CampaignSettings
		}) (*Answer[CampaignID], error) {
			if err := s.refersTo(ctx, in.Body); err != nil {
				return nil, err
			}
			req := s.request(ctx, in.Idempotent)
			id := s.newID(req, in.Idempotent, "campaign")
			at, err := do(ctx, s, req, in.Idempotent, commands.DraftCampaign{Campaign: id, Settings: in.Body.domain()})
			return &Answer[CampaignID]{at, CampaignID{id}}, err
		})
	add(s, route(http.MethodGet, "/campaigns", "list-campaigns", "campaigns", "List the campaigns, newest first"),
		func(ctx context.Context, in *struct {
			Paged
			Waiting
		}) (*Shown[Page[Campaign]], error) {
			return s.listCampaigns(ctx, in.Paged, in.Waiting)
		})
	add(s, route(http.MethodGet, "/campaigns/{id}", "get-campaign", "campaigns", "Show a campaign"),
		func(ctx context.Context, in *struct {
			ByID
			Waiting
		}) (*Shown[Campaign], error) {
			c, err := s.findCampaign(ctx, in.ID, in.Waiting)
			shown := showCampaign(c)
			if c.Status == campaign.Sending {
				shown.HeldBy, shown.HeldUntil = s.deps.Held(in.ID)
			}
			return &Shown[Campaign]{shown}, err
		})
	add(s, route(http.MethodPut, "/campaigns/{id}", "edit-campaign", "campaigns", "Replace a draft's settings"),
		func(ctx context.Context, in *struct {
			ByID
			Body CampaignSettings
		}) (*Changed, error) {
			if err := s.refersTo(ctx, in.Body); err != nil {
				return nil, err
			}
			req := s.request(ctx, Idempotent{})
			at, err := do(ctx, s, req, Idempotent{}, commands.EditCampaign{Campaign: in.ID, Settings: in.Body.domain()})
			return &Changed{at}, err
		})
	s.campaignSteps()
}

// campaign is a campaign of the account, from the log.
func (s *Server) campaign(ctx context.Context, id domain.ID) (campaign.Campaign, error) {
	var c campaign.Campaign
	past, err := s.deps.Log.Load(ctx, campaign.Stream(id))
	if err != nil {
		return c, err
	}
	if len(past) == 0 || past[0].Meta.Account != callerOf(ctx).account {
		return c, commands.ErrNotFound
	}
	for _, e := range past {
		c = c.Evolve(e.Data.(campaign.Event))
	}
	return c, nil
}

// refersTo refuses lists and templates that are not the account's, and ways of
// delivery that are not there.
func (s *Server) refersTo(ctx context.Context, in CampaignSettings) error {
	if err := s.deps.Deliverable(in.domain()); err != nil {
		return err
	}
	for _, l := range in.Lists {
		if err := s.openList(ctx, l); err != nil {
			return err
		}
	}
	if in.Template.IsZero() {
		return nil
	}
	return commands.Exists(ctx, s.deps.Log, callerOf(ctx).account, template.Stream(in.Template))
}

func (s *Server) listCampaigns(ctx context.Context, p Paged, w Waiting) (*Shown[Page[Campaign]], error) {
	after, err := p.afterNumber()
	if err != nil {
		return nil, err
	}
	rows, err := s.read(ctx, campaignlist.Projection.Name, w)
	if err != nil {
		return nil, err
	}
	found, err := campaignlist.Recent(ctx, rows, callerOf(ctx).account, campaignlist.Cursor(after), p.Limit+1)
	if err != nil {
		return nil, err
	}
	return &Shown[Page[Campaign]]{page(found, p.Limit, showCampaign,
		func(c campaignlist.Campaign) string { return number(c.Cursor()) })}, nil
}

func (s *Server) findCampaign(ctx context.Context, id domain.ID, w Waiting) (campaignlist.Campaign, error) {
	rows, err := s.read(ctx, campaignlist.Projection.Name, w)
	if err != nil {
		return campaignlist.Campaign{}, err
	}
	c, found, err := campaignlist.Find(ctx, rows, callerOf(ctx).account, id)
	if err == nil && !found {
		err = commands.ErrNotFound
	}
	return c, err
}

func (c CampaignSettings) domain() campaign.Settings {
	return campaign.Settings{
		Name: c.Name, Lists: c.Lists, Template: c.Template, FromName: c.FromName,
		FromEmail: c.FromEmail, ReplyTo: c.ReplyTo, Tracking: campaign.Tracking(c.Tracking), Server: c.Server, Window: c.Window,
	}
}

func showCampaign(c campaignlist.Campaign) Campaign {
	s := c.Settings
	return Campaign{
		ID: c.ID,
		Settings: CampaignSettings{
			Name: s.Name, Lists: s.Lists, Template: s.Template, FromName: s.FromName,
			FromEmail: s.FromEmail, ReplyTo: s.ReplyTo, Tracking: Tracking(s.Tracking), Server: s.Server, Window: s.Window,
		},
		Status: c.Status, Reason: c.Reason, PerHour: c.Throttle, CreatedAt: c.CreatedAt, EditedAt: c.EditedAt, StartAt: c.StartAt,
		StartedAt: c.StartedAt, EndedAt: c.EndedAt, Recipients: c.Frozen.Recipients, ContentHash: c.Content.SHA256,
	}
}
