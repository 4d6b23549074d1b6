package api

import (
	"context"
	"net/http"

	"github.com/cleversender/cleversender/commands"
	"github.com/cleversender/cleversender/domain"
	"github.com/cleversender/cleversender/domain/campaign"
)

// campaignSteps are the calls that move a campaign on.
func (s *Server) campaignSteps() {
	add(s, route(http.MethodPost, "/campaigns/{id}/schedule", "schedule-campaign", "campaigns", "Set when a draft goes out"),
		func(ctx context.Context, in *struct {
			ByID
			Idempotent
			Body CampaignSchedule
		}) (*Changed, error) {
			return s.scheduleCampaign(ctx, in.ID, in.Idempotent, in.Body)
		})
	add(s, route(http.MethodPost, "/campaigns/{id}/unschedule", "unschedule-campaign", "campaigns", "Call the start off"),
		func(ctx context.Context, in *struct {
			ByID
			Idempotent
		}) (*Changed, error) {
			at, err := do(ctx, s, s.request(ctx, in.Idempotent), in.Idempotent, commands.UnscheduleCampaign{Campaign: in.ID})
			return &Changed{at}, err
		})
	add(s, route(http.MethodPost, "/campaigns/{id}/start", "start-campaign", "campaigns", "Freeze a campaign and begin to send it"),
		func(ctx context.Context, in *struct {
			ByID
			Idempotent
			Body *CampaignForce // nil: none was sent
		}) (*Changed, error) {
			var force []string
			if in.Body != nil {
				force = in.Body.Force
			}
			return s.startCampaign(ctx, in.ID, in.Idempotent, force)
		})
	add(s, route(http.MethodPost, "/campaigns/{id}/pause", "pause-campaign", "campaigns", "Hold a campaign: no further message leaves"),
		func(ctx context.Context, in *struct {
			ByID
			Idempotent
			Body CampaignPause `required:"false"`
		}) (*Changed, error) {
			at, err := do(ctx, s, s.request(ctx, in.Idempotent), in.Idempotent,
				commands.PauseCampaign{Campaign: in.ID, Reason: in.Body.Reason})
			return &Changed{at}, err
		})
	add(s, route(http.MethodPost, "/campaigns/{id}/throttle", "throttle-campaign", "campaigns", "Set how many messages leave in an hour at most"),
		func(ctx context.Context, in *struct {
			ByID
			Idempotent
			Body CampaignThrottle
		}) (*Changed, error) {
			at, err := do(ctx, s, s.request(ctx, in.Idempotent), in.Idempotent,
				commands.ThrottleCampaign{Campaign: in.ID, PerHour: in.Body.PerHour})
			return &Changed{at}, err
		})
	add(s, route(http.MethodPost, "/campaigns/{id}/resume", "resume-campaign", "campaigns", "Let a paused campaign go on"),
		func(ctx context.Context, in *struct {
			ByID
			Idempotent
		}) (*Changed, error) {
			at, err := do(ctx, s, s.request(ctx, in.Idempotent), in.Idempotent, commands.ResumeCampaign{Campaign: in.ID})
			return &Changed{at}, err
		})
	add(s, route(http.MethodPost, "/campaigns/{id}/resend-unknown", "resend-unknown", "campaigns",
		"Send again, with the same Message-ID, where it is unknown whether a message was sent"),
		func(ctx context.Context, in *struct {
			ByID
			Idempotent
		}) (*Changed, error) {
			at, err := do(ctx, s, s.request(ctx, in.Idempotent), in.Idempotent, commands.ResendUnknown{Campaign: in.ID})
			return &Changed{at}, err
		})
	add(s, route(http.MethodPost, "/campaigns/{id}/cancel", "cancel-campaign", "campaigns", "End a campaign: whoever has not been sent to never will be"),
		func(ctx context.Context, in *struct {
			ByID
			Idempotent
		}) (*Changed, error) {
			at, err := do(ctx, s, s.request(ctx, in.Idempotent), in.Idempotent, commands.CancelCampaign{Campaign: in.ID})
			return &Changed{at}, err
		})
}

// scheduleCampaign looks at a draft only: what is scheduled is looked at again when it starts.
func (s *Server) scheduleCampaign(ctx context.Context, id domain.ID, key Idempotent, in CampaignSchedule) (*Changed, error) {
	c, err := s.campaign(ctx, id)
	if err != nil {
		return nil, err
	}
	schedule := commands.ScheduleCampaign{Campaign: id, StartAt: in.StartAt, Now: s.deps.Now(), Force: in.Force}
	var found []PreflightFinding
	if c.Status == campaign.Draft && commands.Ready(c.Settings) == nil {
		if found, err = s.preflight(ctx, c.Settings, in.Force); err != nil {
			return nil, err
		}
		schedule.Blocked = blocking(found)
	}
	at, err := do(ctx, s, s.request(ctx, key), key, schedule)
	return &Changed{at}, explained(err, found, in.Force)
}

// startCampaign freezes what is sent. Of a campaign that has started it
// freezes nothing: what the template has become since is no matter.
func (s *Server) startCampaign(ctx context.Context, id domain.ID, key Idempotent, force []string) (*Changed, error) {
	c, err := s.campaign(ctx, id)
	if err != nil {
		return nil, err
	}
	req := s.request(ctx, key)
	start := commands.StartCampaign{Campaign: id, Content: c.Content, Force: force}
	var found []PreflightFinding
	if !c.Started && !c.Over() {
		for _, l := range c.Settings.Lists {
			if err := s.openList(ctx, l); err != nil {
				return nil, err
			}
		}
		if start.Content, err = s.deps.Freeze(ctx, req.Account, c.Settings); err != nil {
			return nil, err
		}
		if found, err = s.preflight(ctx, c.Settings, force); err != nil {
			return nil, err
		}
		start.Blocked = blocking(found)
	}
	at, err := do(ctx, s, req, key, start)
	return &Changed{at}, explained(err, found, force)
}
