package main

import (
	"time"

	"github.com/cleversender/cleversender/adapters/api"
	"github.com/cleversender/cleversender/domain/consent"
	"github.com/cleversender/cleversender/domain/subscriber"
)

func (s *session) changeHold(id string, change api.HoldChange) error {
	change.Action = s.verb
	return s.done(s.post("/subscribers/"+id+"/holds", change, nil), "recorded")
}

type suppressVerb struct {
	ID     string          `arg:"" help:"Id of the person."`
	Reason subscriber.Hold `help:"manual, hard_bounce, soft_bounces or complaint." default:"manual"`
	Note   string          `help:"What there is to say about it."`
}

// Run implements the verb.
func (v suppressVerb) Run(s *session) error {
	return s.changeHold(v.ID, api.HoldChange{Reason: v.Reason, Note: v.Note})
}

type unsuppressVerb struct {
	ID     string          `arg:"" help:"Id of the person."`
	Reason subscriber.Hold `help:"The reason that is settled; without it, every one."`
	Note   string          `help:"How you know." required:""`
}

// Run implements the verb.
func (v unsuppressVerb) Run(s *session) error {
	return s.changeHold(v.ID, api.HoldChange{Reason: v.Reason, Note: v.Note})
}

type restrictVerb struct {
	ID   string `arg:"" help:"Id of the person."`
	Note string `help:"What there is to say about it."`
}

// Run implements the verb.
func (v restrictVerb) Run(s *session) error { return s.changeHold(v.ID, api.HoldChange{Note: v.Note}) }

type liftVerb struct {
	ID         string    `arg:"" help:"Id of the person."`
	InformedAt time.Time `help:"When the person was told, RFC 3339 (GDPR Art. 18(3))." required:""`
	Note       string    `help:"What there is to say about it."`
}

// Run implements the verb.
func (v liftVerb) Run(s *session) error {
	return s.changeHold(v.ID, api.HoldChange{InformedAt: v.InformedAt, Note: v.Note})
}

type objectVerb struct {
	ID     string         `arg:"" help:"Id of the person."`
	Method consent.Method `help:"How it reached you: api, form, unsubscribe_page, data_request." default:"api"`
}

// Run implements the verb.
func (v objectVerb) Run(s *session) error {
	return s.changeHold(v.ID, api.HoldChange{Method: v.Method})
}

type withdrawObjectionVerb struct {
	ID     string         `arg:"" help:"Id of the person."`
	Method consent.Method `help:"How it reached you: api, form, unsubscribe_page, data_request." default:"api"`
	Note   string         `help:"What the person said." required:""`
}

// Run implements the verb.
func (v withdrawObjectionVerb) Run(s *session) error {
	return s.changeHold(v.ID, api.HoldChange{Method: v.Method, Note: v.Note})
}

type suppressedVerb struct{ paging }

// Run implements the verb.
func (v suppressedVerb) Run(s *session) error {
	return listed(s, "/suppressions", v.paging, []string{"SUBSCRIBER", "EMAIL", "REASON", "SINCE"}, func(p api.Suppression) []string {
		return []string{p.Subscriber.String(), p.Email, string(p.Reason), date(p.Since)}
	})
}
