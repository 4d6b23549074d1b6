package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/cleversender/cleversender/adapters/api"
	"github.com/cleversender/cleversender/commands"
	"github.com/cleversender/cleversender/domain"
)

// forceFlag names what is not to hold a start back.
type forceFlag struct {
	Force []string `help:"Codes of preflight's findings that are not to hold it back; recorded with the start." placeholder:"CODE"`
}

func (f forceFlag) body() api.CampaignForce { return api.CampaignForce{Force: f.Force} }

// reachedAt says, where no server runs, what one would be told by serve.
type reachedAt struct {
	BaseURL string `help:"Where recipients reach the server, when none runs that knows." env:"CLEVERSENDER_BASE_URL" name:"base-url"`
}

func (r reachedAt) base() string { return strings.TrimSuffix(r.BaseURL, "/") }

type campaignPreflightVerb struct {
	ID         string `arg:""`
	CheckLinks bool   `help:"Ask for the links of the template, too."`
	All        bool   `help:"Show what was found to be as it should be, too."`
	reachedAt
}

// Run implements the verb. What blocks is an exit code of its own.
func (v campaignPreflightVerb) Run(s *session) error {
	s.base = v.base()
	path := "/campaigns/" + v.ID + "/preflight"
	if v.CheckLinks {
		path += "?check_links=true"
	}
	var found api.Preflight
	if err := s.get(path, &found); err != nil {
		return err
	}
	if err := s.print(found, func(w io.Writer) { v.show(w, found) }); err != nil || !found.Blocked {
		return err
	}
	return domain.Refuse(commands.CodeBlocked, "preflight holds the campaign back")
}

func (v campaignPreflightVerb) show(w io.Writer, found api.Preflight) {
	count := map[string]int{}
	var unchecked []string // why
	rules := map[string][]string{}
	for _, f := range found.Findings {
		count[f.Level]++
		if f.Level == "unchecked" {
			if rules[f.Text] == nil {
				unchecked = append(unchecked, f.Text)
			}
			rules[f.Text] = append(rules[f.Text], f.Code)
			continue
		}
		if f.Level == "ok" && !v.All {
			continue
		}
		fmt.Fprintf(w, "%-9s  %s: %s\n", f.Level, f.Code, f.Text)
		for _, d := range f.Details {
			fmt.Fprintf(w, "%s- %s\n", strings.Repeat(" ", 11), d)
		}
	}
	for _, why := range unchecked {
		fmt.Fprintf(w, "unchecked  %s: %s\n", why, strings.Join(rules[why], ", "))
	}
	fmt.Fprintf(w, "%d block, %d warn, %d unchecked, %d ok\n", count["block"], count["warn"], count["unchecked"], count["ok"])
}
