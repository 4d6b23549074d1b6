package main

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/cleversender/cleversender/adapters/api"
	"github.com/cleversender/cleversender/domain"
	"github.com/cleversender/cleversender/domain/message"
)

type messageVerbs struct {
	Send   messageSendVerb   `cmd:"" help:"Send one message to one person, such as a receipt."`
	Show   messageShowVerb   `cmd:"" help:"Show what became of a message."`
	Ls     messageLsVerb     `cmd:"" help:"List the messages outside campaigns, newest first."`
	Resend messageResendVerb `cmd:"" help:"Send a message again of which it is unknown whether it was sent."`
}

// waiting is the flags of what sends a message.
type waiting struct {
	Wait bool     `help:"Wait until it is known what became of the message."`
	SMTP []string `help:"Send from this process, by these servers, when no server runs." env:"CLEVERSENDER_SMTP" name:"smtp"`
}

type messageSendVerb struct {
	To        string            `help:"Address of the person." required:""`
	Name      string            `help:"Name of the person."`
	Template  domain.ID         `help:"Id of the template." required:""`
	Var       map[string]string `help:"What the template names as attributes.KEY, as key=value."`
	FromEmail string            `help:"Address of the sender." required:""`
	FromName  string            `help:"Name of the sender."`
	ReplyTo   string            `help:"Where replies go."`
	waiting
}

// Run implements the verb.
func (v messageSendVerb) Run(s *session) error {
	return v.send(s, "/messages", api.MessageNew{
		To: api.MessageTo{Email: v.To, Name: v.Name}, Template: v.Template, Variables: v.Var,
		FromName: v.FromName, FromEmail: v.FromEmail, ReplyTo: v.ReplyTo,
	})
}

type campaignTestVerb struct {
	ID   string            `arg:""`
	To   string            `help:"Address that the test goes to." required:""`
	Name string            `help:"Of the sample person." default:"Ada Lovelace"`
	Attr map[string]string `help:"Of the sample person, as key=value."`
	waiting
}

// Run implements the verb.
func (v campaignTestVerb) Run(s *session) error {
	return v.send(s, "/campaigns/"+v.ID+"/test", api.CampaignTest{To: api.MessageTo{Email: v.To, Name: v.Name}, Attributes: v.Attr})
}

// send asks for a message and shows its id; or, if somebody waits, its status.
func (v waiting) send(s *session, path string, body any) error {
	s.smtp = v.SMTP
	var made api.MessageID
	if err := s.post(path, body, &made); err != nil {
		return err
	}
	if !v.Wait && !s.sends() {
		return s.print(made, func(w io.Writer) { fmt.Fprintln(w, made.ID) })
	}
	for {
		var m api.Message
		if err := s.get("/messages/"+made.ID.String(), &m); err != nil && exitCode(err) != exitNotFound { // the read model is a moment behind
			return err
		}
		switch m.Status {
		case message.None, message.Waiting, message.Pending:
		default:
			return s.printMessage(m)
		}
		select {
		case <-s.ctx.Done():
			return s.ctx.Err()
		case <-time.After(100 * time.Millisecond):
		}
	}
}

type messageShowVerb struct {
	ID string `arg:""`
}

// Run implements the verb.
func (v messageShowVerb) Run(s *session) error {
	var m api.Message
	if err := s.get("/messages/"+v.ID, &m); err != nil {
		return err
	}
	return s.printMessage(m)
}

func (s *session) printMessage(m api.Message) error {
	return s.print(m, func(w io.Writer) {
		table(w, []string{"id", m.ID.String()}, []string{"subscriber", m.Subscriber.String()}, []string{"kind", string(m.Kind)},
			[]string{"template", m.Template.String()}, []string{"status", outcome(m)},
			[]string{"requested", date(m.RequestedAt)}, []string{"since", date(m.Since)})
	})
}

// outcome is a status with what is known of it.
func outcome(m api.Message) string {
	words := []string{string(m.Status)}
	if m.Reason != "" {
		words = append(words, string(m.Reason))
	}
	if m.Code != 0 {
		words = append(words, strings.TrimSpace(fmt.Sprintf("(%d %s", m.Code, m.Enhanced))+")")
	}
	return strings.Join(words, " ")
}

type messageLsVerb struct{ paging }

// Run implements the verb.
func (v messageLsVerb) Run(s *session) error {
	return listed(s, "/messages", v.paging, []string{"ID", "SUBSCRIBER", "KIND", "STATUS", "REQUESTED"}, func(m api.Message) []string {
		return []string{m.ID.String(), m.Subscriber.String(), string(m.Kind), outcome(m), date(m.RequestedAt)}
	})
}

type messageResendVerb struct {
	ID string `arg:""`
}

// Run implements the verb.
func (v messageResendVerb) Run(s *session) error {
	return s.done(s.post("/messages/"+v.ID+"/resend", nil, nil), "queued again")
}
