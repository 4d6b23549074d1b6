package api

import (
	"context"
	"errors"
	"net/http"
	"slices"

	"github.com/cleversender/cleversender/commands"
	"github.com/cleversender/cleversender/domain"
	"github.com/cleversender/cleversender/domain/campaign"
)

// Preflight is what speaks against a campaign's start.
type Preflight struct {
	Blocked  bool               `json:"blocked" doc:"the campaign does not start, unless what blocks is forced"`
	Findings []PreflightFinding `json:"findings" nullable:"false" doc:"one for each rule"`
}

// PreflightFinding is what one rule says.
type PreflightFinding struct {
	Code    string   `json:"code" doc:"of the rule: stable, snake_case"`
	Level   string   `json:"level" enum:"block,warn,unchecked,ok"`
	Text    string   `json:"text" doc:"a sentence for people"`
	Details []string `json:"details,omitempty" doc:"the links, variables or lists that it is about"`
}

// levelBlock is the level of what holds a start back.
const levelBlock = "block"

// CampaignForce says what is not to hold a start back.
type CampaignForce struct {
	Force []string `json:"force,omitempty" nullable:"false" maxItems:"50" doc:"codes of preflight's findings, as they are"`
}

func (s *Server) preflightRoutes() {
	add(s, route(http.MethodGet, "/campaigns/{id}/preflight", "preflight-campaign", "campaigns", "Show what speaks against a campaign's start"),
		func(ctx context.Context, in *struct {
			ByID
			CheckLinks bool `query:"check_links" doc:"ask for the links of the template, too; it takes some seconds"`
		}) (*Shown[Preflight], error) {
			c, err := s.campaign(ctx, in.ID)
			if err != nil {
				return nil, err
			}
			found, err := s.deps.Preflight(ctx, callerOf(ctx).account, c.Settings, in.CheckLinks)
			return &Shown[Preflight]{Preflight{len(blocking(found)) > 0, found}}, err
		})
}

// blocking is the codes of what blocks.
func blocking(found []PreflightFinding) (codes []string) {
	for _, f := range found {
		if f.Level == levelBlock {
			codes = append(codes, f.Code)
		}
	}
	return codes
}

var errUnknownRule = domain.Refuse("unknown_rule", "there is no rule with the code of what is forced")

// preflight is what a campaign's start would find, of which some is forced.
func (s *Server) preflight(ctx context.Context, settings campaign.Settings, force []string) ([]PreflightFinding, error) {
	found, err := s.deps.Preflight(ctx, callerOf(ctx).account, settings, false)
	if err != nil {
		return nil, err
	}
	for _, code := range force {
		if !slices.ContainsFunc(found, func(f PreflightFinding) bool { return f.Code == code }) {
			return nil, errUnknownRule
		}
	}
	return found, nil
}

// explained adds to a refusal of preflight's what it is about.
func explained(err error, found []PreflightFinding, force []string) error {
	var refused domain.Refusal
	if !errors.As(err, &refused) || refused.Code != commands.CodeBlocked {
		return err
	}
	p := problem(http.StatusConflict, refused.Code, refused.Reason)
	for _, f := range found {
		if f.Level == levelBlock && !slices.Contains(force, f.Code) {
			p.Errors = append(p.Errors, ProblemDetail{Message: f.Text, Location: f.Code})
		}
	}
	return p
}
