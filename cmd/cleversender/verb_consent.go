package main

import (
	"fmt"
	"io"
	"net/url"
	"time"

	"github.com/cleversender/cleversender/adapters/api"
	"github.com/cleversender/cleversender/domain"
	"github.com/cleversender/cleversender/domain/consent"
)

type consentVerbs struct {
	Give    consentAnswerVerb  `cmd:"" help:"Record that a person agreed."`
	Confirm consentAnswerVerb  `cmd:"" help:"Record that a person confirmed (double opt-in)."`
	Revoke  consentAnswerVerb  `cmd:"" help:"Record that a person does not agree, or no longer."`
	Request consentAnswerVerb  `cmd:"" help:"Record that a person was asked."`
	History consentHistoryVerb `cmd:"" help:"What a person agreed to and when, now or at any moment."`
}

// consentAnswerVerb is what a person said; its own name says what.
type consentAnswerVerb struct {
	Subscriber string          `arg:"" help:"Id of the person."`
	Purpose    consent.Purpose `arg:"" help:"${purposes}."`
	List       domain.ID       `help:"Id of the list, for mailing."`
	Method     consent.Method  `help:"How the answer reached you: api, form, confirm_link, unsubscribe_page, data_request." default:"api"`
	Wording    string          `help:"SHA-256 of what they were shown, hex."`
}

// Run implements the verb.
func (v consentAnswerVerb) Run(s *session) error {
	answer := api.ConsentAnswer{Action: s.verb, Purpose: v.Purpose, List: v.List, Method: v.Method, Wording: v.Wording}
	var made api.ConsentRecorded
	if err := s.post("/subscribers/"+v.Subscriber+"/consents", answer, &made); err != nil {
		return err
	}
	return s.print(made, func(w io.Writer) {
		fmt.Fprintln(w, "recorded")
		if made.ConfirmURL != "" {
			fmt.Fprintln(w, "They confirm at", made.ConfirmURL)
		}
	})
}

type consentHistoryVerb struct {
	Subscriber string    `arg:"" help:"Id of the person."`
	At         time.Time `help:"As of this moment, RFC 3339; without it, now."`
}

// Run implements the verb.
func (v consentHistoryVerb) Run(s *session) error {
	path := "/subscribers/" + v.Subscriber + "/consents"
	if !v.At.IsZero() {
		path += "?" + url.Values{"at": {v.At.Format(time.RFC3339Nano)}}.Encode()
	}
	var h api.ConsentHistory
	if err := s.get(path, &h); err != nil {
		return err
	}
	return s.print(h, func(w io.Writer) {
		rows := [][]string{{"AT", "WHAT", "PURPOSE", "LIST", "HOW", "IMPORT", "ROW"}}
		for _, e := range h.Entries {
			row := ""
			if e.Row > 0 {
				row = fmt.Sprint(e.Row)
			}
			rows = append(rows, []string{date(e.At), e.Type, string(e.Purpose), e.List.String(), string(e.Method), e.Import.String(), row})
		}
		table(w, rows...)
		fmt.Fprintln(w)
		rows = [][]string{{"PURPOSE", "LIST", "STATUS", "IN FORCE"}}
		for _, c := range h.Standing {
			rows = append(rows, []string{string(c.Purpose), c.List.String(), string(c.Status), yes(c.InForce)})
		}
		table(w, rows...)
	})
}

func yes(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}

// Run implements the verb.
func (v subscriberTimelineVerb) Run(s *session) error {
	return listed(s, "/subscribers/"+v.ID+"/timeline", v.paging, []string{"AT", "WHAT", "TYPE", "CAMPAIGN"}, func(e api.TimelineEntry) []string {
		return []string{date(e.At), e.What, e.Type, e.Campaign.String()}
	})
}

type subscriberTimelineVerb struct {
	ID string `arg:""`
	paging
}
