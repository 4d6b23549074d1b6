package api

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/cleversender/cleversender/commands"
	"github.com/cleversender/cleversender/domain"
	"github.com/cleversender/cleversender/domain/delivery"
	"github.com/cleversender/cleversender/domain/message"
	"github.com/cleversender/cleversender/domain/personal"
	"github.com/cleversender/cleversender/projections/messages"
)

// Message is one message outside campaigns, and what became of it. Whose it is
// says the subscriber.
type Message struct {
	ID          domain.ID       `json:"id"`
	Subscriber  domain.ID       `json:"subscriber" doc:"the person that it goes to"`
	Kind        message.Kind    `json:"kind" doc:"transactional or test"`
	Campaign    domain.ID       `json:"campaign,omitzero" doc:"of a test, the campaign that is tried out"`
	Template    domain.ID       `json:"template"`
	Status      message.Status  `json:"status" doc:"queued, sending, accepted, deferred, failed, withheld, or unknown: it may have been sent"`
	Reason      delivery.Reason `json:"reason,omitempty" doc:"of a withheld or failed one: erased, restricted, suppressed, rejected, unreachable, not_rendered"`
	Code        int             `json:"code,omitempty" doc:"of the mail server's last reply"`
	Enhanced    string          `json:"enhanced,omitempty" doc:"RFC 3463"`
	Tries       int             `json:"tries,omitempty" doc:"how often a mail server said not now"`
	RequestedAt time.Time       `json:"requested_at"`
	Since       time.Time       `json:"since" doc:"of the status"`
}

// MessageTo is whom a message goes to: anybody, on a list or not.
type MessageTo struct {
	Email string `json:"email" minLength:"3" maxLength:"1000"`
	Name  string `json:"name,omitempty" maxLength:"200"`
}

// MessageNew is what somebody asked for, such as a receipt or a new password.
type MessageNew struct {
	To        MessageTo         `json:"to"`
	Template  domain.ID         `json:"template"`
	Variables map[string]string `json:"variables,omitempty" doc:"what the template names as attributes.NAME; at most 50, and 16 kB"`
	FromName  string            `json:"from_name,omitempty" maxLength:"200"`
	FromEmail string            `json:"from_email" maxLength:"254"`
	ReplyTo   string            `json:"reply_to,omitempty" maxLength:"254"`
}

// CampaignTest is whom to send a test of a campaign to, and as whom they see it.
type CampaignTest struct {
	To         MessageTo         `json:"to"`
	Attributes map[string]string `json:"attributes,omitempty" doc:"of the sample person"`
}

// MessageID names a message. What becomes of it, it tells when it is asked for.
type MessageID struct {
	ID domain.ID `json:"id"`
}

func (s *Server) messageRoutes() {
	send := route(http.MethodPost, "/messages", "send-message", "messages", "Send one message to one person, outside every campaign")
	send.DefaultStatus = http.StatusAccepted
	add(s, send, func(ctx context.Context, in *struct {
		Idempotent
		Body MessageNew
	}) (*Answer[MessageID], error) {
		b := in.Body
		return s.requestMessage(ctx, in.Idempotent, message.Requested{
			Kind: message.Transactional, Template: b.Template, FromName: b.FromName, FromEmail: b.FromEmail, ReplyTo: b.ReplyTo,
		}, b.To, b.Variables)
	})
	test := route(http.MethodPost, "/campaigns/{id}/test", "test-campaign", "messages", "Send a test of a campaign, as it is now, to one address")
	test.DefaultStatus = http.StatusAccepted
	add(s, test, func(ctx context.Context, in *struct {
		ByID
		Idempotent
		Body CampaignTest
	}) (*Answer[MessageID], error) {
		c, err := s.campaign(ctx, in.ID)
		if err != nil {
			return nil, err
		}
		return s.requestMessage(ctx, in.Idempotent, message.TrialOf(in.ID, c.Settings), in.Body.To, in.Body.Attributes)
	})
	add(s, route(http.MethodGet, "/messages", "list-messages", "messages", "List the messages outside campaigns, newest first"),
		func(ctx context.Context, in *struct {
			Paged
			Waiting
		}) (*Shown[Page[Message]], error) {
			return s.listMessages(ctx, in.Paged, in.Waiting)
		})
	add(s, route(http.MethodGet, "/messages/{id}", "get-message", "messages", "Show what became of a message"),
		func(ctx context.Context, in *struct {
			ByID
			Waiting
		}) (*Shown[Message], error) {
			return s.getMessage(ctx, in.ID, in.Waiting)
		})
	add(s, route(http.MethodPost, "/messages/{id}/resend", "resend-message", "messages",
		"Send a message again, with the same Message-ID, of which it is unknown whether it was sent"),
		func(ctx context.Context, in *struct {
			ByID
			Idempotent
		}) (*Changed, error) {
			return s.resendMessage(ctx, in.ID, in.Idempotent)
		})
}

func (s *Server) requestMessage(ctx context.Context, key Idempotent, m message.Requested, to MessageTo, vars map[string]string) (*Answer[MessageID], error) {
	m.To, m.Name, m.Variables = personal.Of(to.Email), personal.Of(to.Name), personal.FieldsOf(vars)
	req := s.request(ctx, key)
	id := s.newID(req, key, "message")
	done, err := s.deps.RequestMessage(ctx, req, id, m)
	if err == nil && done.Position == 0 { // asked before
		done.Position, err = s.deps.Log.Head(ctx)
	}
	if err != nil {
		return nil, err
	}
	return &Answer[MessageID]{uint64(done.Position), MessageID{id}}, nil
}

func (s *Server) listMessages(ctx context.Context, p Paged, w Waiting) (*Shown[Page[Message]], error) {
	after, err := p.afterNumber()
	if err != nil {
		return nil, err
	}
	rows, err := s.read(ctx, messages.Projection.Name, w)
	if err != nil {
		return nil, err
	}
	found, err := messages.Recent(ctx, rows, callerOf(ctx).account, messages.Cursor(after), p.Limit+1)
	if err != nil {
		return nil, err
	}
	return &Shown[Page[Message]]{page(found, p.Limit, showMessage,
		func(m messages.Message) string { return number(m.Cursor()) })}, nil
}

func (s *Server) getMessage(ctx context.Context, id domain.ID, w Waiting) (*Shown[Message], error) {
	rows, err := s.read(ctx, messages.Projection.Name, w)
	if err != nil {
		return nil, err
	}
	m, found, err := messages.Find(ctx, rows, callerOf(ctx).account, id)
	if err == nil && !found {
		err = commands.ErrNotFound
	}
	return &Shown[Message]{showMessage(m)}, err
}

func (s *Server) resendMessage(ctx context.Context, id domain.ID, key Idempotent) (*Changed, error) {
	past, err := s.deps.Log.Load(ctx, message.Stream(id))
	if err != nil {
		return nil, fmt.Errorf("load message: %w", err)
	}
	if len(past) == 0 {
		return nil, commands.ErrNotFound
	}
	resend := commands.ResendMessage{Message: id, Person: past[0].Meta.Subject}
	at, err := do(ctx, s, s.request(ctx, key), key, resend)
	return &Changed{at}, err
}

func showMessage(m messages.Message) Message {
	return Message{
		ID: m.ID, Subscriber: m.Person, Kind: m.Kind, Campaign: m.Campaign, Template: m.Template, Status: m.Status, Reason: m.Reason,
		Code: m.Code, Enhanced: m.Enhanced, Tries: m.Tries, RequestedAt: m.RequestedAt, Since: m.Since,
	}
}
