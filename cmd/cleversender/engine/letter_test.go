package engine

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	msgauth "github.com/emersion/go-msgauth/dkim"
	"github.com/google/go-cmp/cmp"

	"github.com/cleversender/cleversender/adapters/liquid"
	"github.com/cleversender/cleversender/adapters/sending/outbox"
	"github.com/cleversender/cleversender/adapters/tracking"
	"github.com/cleversender/cleversender/domain"
	"github.com/cleversender/cleversender/domain/campaign"
	"github.com/cleversender/cleversender/domain/message"
	"github.com/cleversender/cleversender/domain/personal"
	"github.com/cleversender/cleversender/domain/signing"
	"github.com/cleversender/cleversender/domain/template"
)

var (
	testMessage  = domain.ID{6}
	testCampaign = domain.ID{4}
)

// receipt is a message to Zoë that she asked for.
func receipt() outbox.Order {
	return outbox.Order{
		Account: testAccount, Message: testMessage, Email: "zoe@example.org", Name: "Zoë", Variables: map[string]string{"order": "17 <b>"},
		Requested: message.Requested{
			Kind: message.Transactional, Template: testTemplate, TemplateRevision: 1,
			FromName: "Harbour Books", FromEmail: "shop@books.example", ReplyTo: "help@books.example",
		},
	}
}

// trial is a test of a campaign.
func trial() outbox.Order {
	o := receipt()
	o.Kind, o.Campaign = message.Test, testCampaign
	return o
}

func lettering(c template.Content) *composer {
	made := composing(c)
	made.log.(past)[campaign.Stream(testCampaign)] = campaign.Drafted{Settings: settingsOf()}
	return made
}

// A message outside campaigns says what its template says, is tracked in no
// way, and calls itself automatic (RFC 3834) and not bulk.
func TestLetter(t *testing.T) {
	content := template.Content{
		Subject: "{{ campaign }} Order {{ attributes.order }}",
		HTML:    `<p>{{ name }}, {{ attributes.order }} {{ list }}</p><a href="https://books.example/">go</a> {{ unsubscribe_url }}`,
		Text:    "{{ name }}: {{ unsubscribe_url }}.\n..\n",
	}
	link := `</p><a href="https://books.example/">go</a> `
	for _, c := range []struct {
		order outbox.Order
		want  liquid.Message
	}{
		{receipt(), liquid.Message{Subject: "Order 17 <b>", HTML: "<p>Zoë, 17 &lt;b&gt; " + link, Text: "Zoë: .\n..\n"}},
		{trial(), liquid.Message{
			Subject: "[Test] May Order 17 <b>",
			HTML:    "<p>Zoë, 17 &lt;b&gt; The readers&#39; letter" + link + "https://mail.books.example/u/test",
			Text:    "Zoë: https://mail.books.example/u/test.\n..\n",
		}},
	} {
		m, err := lettering(content).letter(context.Background(), c.order)
		if err != nil {
			t.Fatal(err)
		}
		read := wired(t, m.Data)
		if diff := cmp.Diff(c.want, said(t, read)); diff != "" {
			t.Error(diff)
		}
		var names []string
		for name := range read.Header {
			names = append(names, name)
		}
		slices.Sort(names)
		want := []string{"Auto-Submitted", "Content-Type", "Date", "Feedback-Id", "From", "Message-Id", "Mime-Version", "Reply-To", "Subject", "To"}
		if diff := cmp.Diff(want, names); diff != "" || read.Header.Get("Auto-Submitted") != "auto-generated" {
			t.Error(diff, read.Header)
		}
		if m.From != "shop@books.example" || m.To != "zoe@example.org" {
			t.Errorf("from %s to %s", m.From, m.To)
		}
	}
}

// A message is the same each time it is made, another has another Message-ID,
// and its return path is its own.
func TestLetterIdentity(t *testing.T) {
	made := lettering(newsletter())
	made.bounce = "bounces.books.example"
	first, err := made.letter(context.Background(), receipt())
	if err != nil {
		t.Fatal(err)
	}
	again, err := made.letter(context.Background(), receipt())
	if diff := cmp.Diff(first, again); diff != "" || err != nil {
		t.Error(diff, err)
	}
	o := receipt()
	o.Message = domain.ID{7}
	other, err := made.letter(context.Background(), o)
	if a, b := wired(t, first.Data).Header.Get("Message-Id"), wired(t, other.Data).Header.Get("Message-Id"); err != nil || a == b {
		t.Errorf("%s and %s: %v", a, b, err)
	}
	local, _, _ := strings.Cut(first.From, "@")
	if of, ordinal, err := made.signer.ParseBounce(local); err != nil || of != testMessage || ordinal != tracking.NoOrdinal {
		t.Errorf("comes back to %s: %v", first.From, err)
	}
}

// A message that cannot be made is refused when it is asked for.
func TestLetterRefused(t *testing.T) {
	for code, spoil := range map[string]func(*message.Requested, *template.Content){
		"no_template":      func(m *message.Requested, _ *template.Content) { m.Template = domain.ID{} },
		"no_sender":        func(m *message.Requested, _ *template.Content) { m.FromEmail = "" },
		"bad_from_email":   func(m *message.Requested, _ *template.Content) { m.FromEmail = "shop@exa mple" },
		"bad_header":       func(m *message.Requested, _ *template.Content) { m.ReplyTo = "nobody" },
		"not_found":        func(m *message.Requested, _ *template.Content) { m.Kind, m.Campaign = message.Test, domain.ID{9} },
		"template_invalid": func(_ *message.Requested, c *template.Content) { c.HTML = "{{ name" },
	} {
		m, c := receipt().Requested, newsletter()
		m.To, m.TemplateRevision = personal.Of("zoe@example.org"), 0
		spoil(&m, &c)
		var refused domain.Refusal
		if _, err := lettering(c).frozen(context.Background(), testAccount, testMessage, m); !errors.As(err, &refused) || refused.Code != code {
			t.Errorf("%s: got %v", code, err)
		}
	}
	m := receipt().Requested
	m.To, m.TemplateRevision = personal.Of("zoe@example.org"), 0
	got, err := lettering(newsletter()).frozen(context.Background(), testAccount, testMessage, m)
	if err != nil || got.TemplateRevision != 1 || len(got.SHA256) != 64 {
		t.Errorf("%+v, %v", got, err)
	}
	if _, err := lettering(newsletter()).frozen(context.Background(), domain.ID{8}, testMessage, m); err == nil {
		t.Error("another account sends it")
	}
}

// A message is signed by the keys of its sender's domain; one that no server
// would take is refused when it is asked for.
func TestLetterIsSigned(t *testing.T) {
	d := newDomains()
	d.add(t, "books.example", "s1", signing.Ed25519, signing.KeyActivated{Selector: "s1"})
	m, err := d.letter(context.Background(), receipt())
	if err != nil {
		t.Fatal(err)
	}
	all, err := msgauth.VerifyWithOptions(bytes.NewReader(m.Data), &msgauth.VerifyOptions{
		LookupTXT: func(name string) ([]string, error) { return d.zone[name], nil },
	})
	if err != nil || len(all) != 1 || all[0].Err != nil || all[0].Domain != "books.example" {
		t.Errorf("signatures %+v, %v", all, err)
	}
	closed := domain.Refuse("no_such_server", "there is no such mail server")
	d.deliverable = func(s campaign.Settings) error {
		if s.FromEmail != "shop@books.example" {
			t.Errorf("asked of %s", s.FromEmail)
		}
		return closed
	}
	asked := receipt().Requested
	asked.To = personal.Of("zoe@example.org")
	if _, err := d.frozen(context.Background(), testAccount, testMessage, asked); !errors.Is(err, closed) {
		t.Errorf("got %v", err)
	}
}
