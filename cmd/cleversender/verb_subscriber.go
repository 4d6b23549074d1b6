package main

import (
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/cleversender/cleversender/adapters/api"
	"github.com/cleversender/cleversender/domain"
)

type subscriberVerbs struct {
	Add      subscriberAddVerb      `cmd:"" help:"Add a person, or put one on a list."`
	Find     subscriberFindVerb     `cmd:"" help:"Find a person by e-mail address."`
	Ls       subscriberLsVerb       `cmd:"" help:"List the people whose data the account holds."`
	Members  subscriberMembersVerb  `cmd:"" help:"List the people on a list."`
	Show     subscriberShowVerb     `cmd:"" help:"Show what is held about a person."`
	Rectify  subscriberRectifyVerb  `cmd:"" help:"Correct a person's data."`
	Timeline subscriberTimelineVerb `cmd:"" help:"Everything that happened around a person."`

	Suppress   suppressVerb          `cmd:"" help:"Send a person no mail any more."`
	Unsuppress unsuppressVerb        `cmd:"" help:"The reason why a person is suppressed is settled."`
	Restrict   restrictVerb          `cmd:"" help:"Keep a person's data and do not use it (GDPR Art. 18)."`
	Lift       liftVerb              `cmd:"" help:"Lift a restriction, after the person was told."`
	Object     objectVerb            `cmd:"" help:"A person objects to direct marketing (GDPR Art. 21)."`
	Withdraw   withdrawObjectionVerb `cmd:"" help:"A person takes their objection back."`
	Suppressed suppressedVerb        `cmd:"" help:"List who is suppressed, and why."`
}

type subscriberAddVerb struct {
	Email string            `arg:""`
	Name  string            `help:"Their name."`
	Attr  map[string]string `help:"An attribute, as key=value."`
	List  domain.ID         `help:"Id of the list to put them on."`
}

// Run implements the verb.
func (v subscriberAddVerb) Run(s *session) error {
	var made api.SubscriberID
	if err := s.post("/subscribers", api.SubscriberNew{Email: v.Email, Name: v.Name, Attributes: v.Attr, List: v.List}, &made); err != nil {
		return err
	}
	return s.print(made, func(w io.Writer) { fmt.Fprintln(w, made.ID) })
}

type subscriberFindVerb struct {
	Email string `arg:""`
}

// Run implements the verb.
func (v subscriberFindVerb) Run(s *session) error {
	var p api.Subscriber
	if err := s.post("/subscribers/find", api.SubscriberQuery{Email: v.Email}, &p); err != nil {
		return err
	}
	return showSubscriber(s, p)
}

type subscriberShowVerb struct {
	ID string `arg:""`
}

// Run implements the verb.
func (v subscriberShowVerb) Run(s *session) error {
	var p api.Subscriber
	if err := s.get("/subscribers/"+v.ID, &p); err != nil {
		return err
	}
	return showSubscriber(s, p)
}

func showSubscriber(s *session, p api.Subscriber) error {
	return s.print(p, func(w io.Writer) {
		rows := [][]string{{"id", p.ID.String()}, {"email", p.Email}, {"name", p.Name}, {"added", date(p.AddedAt)}, {"source", string(p.Source)}}
		for _, key := range slices.Sorted(maps.Keys(p.Attributes)) {
			rows = append(rows, []string{key, p.Attributes[key]})
		}
		for _, m := range p.Lists {
			rows = append(rows, []string{"list", m.List.String() + "  " + string(m.Standing)})
		}
		for _, h := range p.Holds {
			rows = append(rows, []string{"no mail", string(h.Hold) + ", since " + date(h.Since)})
		}
		var agreed []string
		for _, purpose := range p.Agreed {
			agreed = append(agreed, string(purpose))
		}
		table(w, append(rows, []string{"agreed to", strings.Join(agreed, ", ")})...)
	})
}

type subscriberLsVerb struct{ paging }

// Run implements the verb.
func (v subscriberLsVerb) Run(s *session) error {
	return listed(s, "/subscribers", v.paging, []string{"ID", "EMAIL", "NAME", "ADDED"}, func(p api.Subscriber) []string {
		return []string{p.ID.String(), p.Email, p.Name, date(p.AddedAt)}
	})
}

type subscriberMembersVerb struct {
	List string `arg:""`
	paging
}

// Run implements the verb.
func (v subscriberMembersVerb) Run(s *session) error {
	return listed(s, "/lists/"+v.List+"/members", v.paging, []string{"SUBSCRIBER", "STANDING", "SINCE"}, func(m api.Member) []string {
		return []string{m.Subscriber.String(), string(m.Standing), date(m.Since)}
	})
}

type subscriberRectifyVerb struct {
	ID    string            `arg:""`
	Email *string           `help:"Their address from now on."`
	Name  *string           `help:"Their name from now on."`
	Attr  map[string]string `help:"All their attributes from now on, as key=value."`
}

// Run implements the verb.
func (v subscriberRectifyVerb) Run(s *session) error {
	change := api.SubscriberChange{Email: v.Email, Name: v.Name}
	if v.Attr != nil {
		change.Attributes = &v.Attr
	}
	return s.done(s.call(http.MethodPatch, "/subscribers/"+v.ID, change, nil), "rectified")
}
