package web

import (
	"context"
	"net/http"
	"time"

	"github.com/cleversender/cleversender/domain"
	"github.com/cleversender/cleversender/domain/campaign"
)

// levels of findings, the gravest first, as the page of a start shows them.
var levels = []struct{ level, title string }{
	{"block", "This keeps it from starting"},
	{"warn", "Have a look at this first"},
	{"unchecked", "This could not be found out"},
	{"ok", "This is as it should be"},
}

// findings are those of one level.
type findings struct {
	Level, Title string
	All          []Finding
}

// sendPage is what is asked before a start.
type sendPage struct {
	campaignPage
	Earliest string
	Findings []findings
	Blocks   []Finding
}

func (s *site) sendPage(w http.ResponseWriter, r *http.Request, who session) error {
	p, err := s.findCampaign(r, who)
	if err != nil {
		return err
	}
	page := sendPage{campaignPage: p, Earliest: s.Now().UTC().Add(time.Minute).Format(inputTime)}
	found, err := s.Preflight(r.Context(), who.account, p.Settings)
	if err != nil {
		return err
	}
	for _, l := range levels {
		var of []Finding
		for _, f := range found {
			if f.Level == l.level {
				of = append(of, f)
			}
		}
		if l.level == "block" {
			page.Blocks = of
		}
		if len(of) > 0 {
			page.Findings = append(page.Findings, findings{l.level, l.title, of})
		}
	}
	return s.show(w, r, who, "send", view{Title: "Send " + p.Settings.Name, Section: "campaigns", Data: page})
}

// blocked is the codes of what holds a start back.
func (s *site) blocked(ctx context.Context, account domain.ID, settings campaign.Settings) (codes []string, err error) {
	found, err := s.Preflight(ctx, account, settings)
	for _, f := range found {
		if f.Level == "block" {
			codes = append(codes, f.Code)
		}
	}
	return codes, err
}

// forced is the codes that somebody has ticked.
func forced(r *http.Request) []string {
	_ = r.PostFormValue("force") // reads the form
	return r.PostForm["force"]
}
