package api_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/cleversender/cleversender/adapters/api"
	"github.com/cleversender/cleversender/domain/campaign"
)

// What speaks against a start is shown, holds it back, and is forced by its code.
func TestPreflight(t *testing.T) {
	w := newWorld(t)
	w.findings = []api.PreflightFinding{
		{Code: "no_unsubscribe", Level: "block", Text: "Nobody could unsubscribe."},
		{Code: "dmarc_reject", Level: "block", Text: "It is rejected.", Details: []string{"p=reject"}},
		{Code: "spf_missing", Level: "warn", Text: "There is no SPF record."},
	}
	list := w.list("News")
	template := call[api.TemplateID](w, "POST", "/templates", api.TemplateNew{Name: "Spring", Subject: "Hello", HTML: "<p>hi</p>"}, 201).ID
	draft := func(name string) string {
		settings := api.CampaignSettings{Name: name, FromEmail: "news@example.com", Template: template}
		settings.Lists = append(settings.Lists, list)
		return "/campaigns/" + call[api.CampaignID](w, "POST", "/campaigns", settings, 201).ID.String()
	}
	path := draft("Spring")
	got := call[api.Preflight](w, "GET", path+"/preflight", nil, 200)
	if diff := cmp.Diff(api.Preflight{Blocked: true, Findings: w.findings}, got); diff != "" || w.links {
		t.Error(diff)
	}
	if call[api.Preflight](w, "GET", path+"/preflight?check_links=true", nil, 200); !w.links {
		t.Error("the links were not asked for")
	}

	p := call[api.Problem](w, "POST", path+"/start", nil, 409)
	want := []api.ProblemDetail{
		{Message: "Nobody could unsubscribe.", Location: "no_unsubscribe"}, {Message: "It is rejected.", Location: "dmarc_reject"},
	}
	if diff := cmp.Diff(want, p.Errors); diff != "" || p.Code != "preflight_blocked" {
		t.Errorf("%s: %s", p.Code, diff)
	}
	p = call[api.Problem](w, "POST", path+"/start", api.CampaignForce{Force: []string{"no_unsubscribe"}}, 409)
	if diff := cmp.Diff(want[1:], p.Errors); diff != "" {
		t.Error(diff)
	}
	both := api.CampaignForce{Force: []string{"no_unsubscribe", "dmarc_reject"}}
	if p = call[api.Problem](w, "POST", path+"/start", api.CampaignForce{Force: []string{"no_such_rule"}}, 422); p.Code != "unknown_rule" {
		t.Errorf("%+v", p)
	}
	call[any](w, "POST", path+"/start", both, 204)
	call[any](w, "POST", path+"/start", nil, 204) // it has started

	path = draft("Summer")
	at := w.clock.now().Add(time.Hour)
	call[api.Problem](w, "POST", path+"/schedule", api.CampaignSchedule{StartAt: at}, 409)
	call[any](w, "POST", path+"/schedule", api.CampaignSchedule{StartAt: at, CampaignForce: both}, 204)
	var forced [][]string
	for page := range w.log.Follow(t.Context(), 0, nil, 500) {
		for _, e := range page.Events {
			switch data := e.Data.(type) {
			case campaign.Started:
				forced = append(forced, data.Forced)
			case campaign.Scheduled:
				forced = append(forced, data.Forced)
			}
		}
		break
	}
	sorted := []string{"dmarc_reject", "no_unsubscribe"}
	if diff := cmp.Diff([][]string{sorted, sorted}, forced); diff != "" {
		t.Error(diff)
	}
	var c api.Campaign
	if err := json.Unmarshal(w.raw(w.own, "GET", path, "").body, &c); err != nil || c.Status != campaign.Waiting {
		t.Errorf("%+v, %v", c, err)
	}
	if got := w.raw(w.stranger, "GET", path+"/preflight", ""); got.status != 404 {
		t.Errorf("another account's campaign: %d", got.status)
	}
}
