package main

import (
	"fmt"
	"io"
	"strconv"

	"github.com/cleversender/cleversender/adapters/api"
)

type listVerbs struct {
	Create  listCreateVerb  `cmd:"" help:"Create a list."`
	Ls      listLsVerb      `cmd:"" help:"List the lists."`
	Show    listShowVerb    `cmd:"" help:"Show a list and its counts."`
	Archive listArchiveVerb `cmd:"" help:"Archive a list: nothing is sent to it any more."`
}

type listCreateVerb struct {
	Name        string `arg:""`
	DoubleOptIn bool   `help:"Consent counts once the address is confirmed."`
}

// Run implements the verb.
func (v listCreateVerb) Run(s *session) error {
	var made api.ListCreated
	if err := s.post("/lists", api.ListNew{Name: v.Name, DoubleOptIn: v.DoubleOptIn}, &made); err != nil {
		return err
	}
	return s.print(made, func(w io.Writer) { fmt.Fprintln(w, made.ID) })
}

type listLsVerb struct{ paging }

// Run implements the verb.
func (v listLsVerb) Run(s *session) error {
	return listed(s, "/lists", v.paging, []string{"ID", "NAME", "MEMBERS", "MAILABLE", "CREATED"}, func(l api.List) []string {
		name := l.Name
		if l.Archived {
			name += " (archived)"
		}
		return []string{l.ID.String(), name, strconv.Itoa(l.Counts.Members), strconv.Itoa(l.Counts.Mailable), date(l.CreatedAt)}
	})
}

type listShowVerb struct {
	ID string `arg:""`
}

// Run implements the verb.
func (v listShowVerb) Run(s *session) error {
	var l api.List
	if err := s.get("/lists/"+v.ID, &l); err != nil {
		return err
	}
	return s.print(l, func(w io.Writer) {
		c := l.Counts
		fmt.Fprintf(w, "%s\n", l.Name)
		table(w, []string{"members", strconv.Itoa(c.Members)}, []string{"mailable", strconv.Itoa(c.Mailable)},
			[]string{"unconfirmed", strconv.Itoa(c.Unconfirmed)}, []string{"revoked", strconv.Itoa(c.Revoked)},
			[]string{"no consent", strconv.Itoa(c.NoConsent)}, []string{"suppressed", strconv.Itoa(c.Suppressed)},
			[]string{"objected", strconv.Itoa(c.Objected)}, []string{"restricted", strconv.Itoa(c.Restricted)})
	})
}

type listArchiveVerb struct {
	ID string `arg:""`
}

// Run implements the verb.
func (v listArchiveVerb) Run(s *session) error {
	return s.done(s.post("/lists/"+v.ID+"/archive", nil, nil), "archived")
}
