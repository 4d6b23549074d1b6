package api_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/cleversender/cleversender/adapters/api"
	"github.com/cleversender/cleversender/commands"
	"github.com/cleversender/cleversender/domain"
	"github.com/cleversender/cleversender/domain/message"
)

// message sends one, and names it.
func (w *world) message(body string) string {
	w.t.Helper()
	got := w.raw(w.own, "POST", "/messages", body)
	var made api.MessageID
	if err := json.Unmarshal(got.body, &made); err != nil || got.status != 202 {
		w.t.Fatalf("%d %s: %v", got.status, got.body, err)
	}
	return made.ID.String()
}

// A message is asked for, tells what became of it, and is sent again only when
// that is unknown.
func TestMessageWay(t *testing.T) {
	w := newWorld(t)
	template := call[api.TemplateID](w, "POST", "/templates", api.TemplateNew{Name: "x", Subject: "x", Text: "x"}, 201).ID
	sent := call[api.MessageID](w, "POST", "/messages", api.MessageNew{
		To: api.MessageTo{Email: "ann@example.com", Name: "Ann"}, Template: template, FromEmail: "shop@example.com", Variables: map[string]string{"order": "17"},
	}, 202).ID
	path := "/messages/" + sent.String()
	m := call[api.Message](w, "GET", path, nil, 200)
	if m.Status != message.Waiting || m.Kind != message.Transactional || m.Template != template || m.RequestedAt.IsZero() {
		t.Errorf("asked for: %+v", m)
	}
	if got := w.raw(w.own, "POST", path+"/resend", ""); got.status != 409 || got.code() != "message_not_unknown" {
		t.Errorf("sent again too early: %d %s", got.status, got.body)
	}
	worker := newID()
	run(w, w.account, commands.IntendMessage{Message: sent, Person: m.Subscriber, Worker: worker})
	run(w, w.account, commands.RecordMessageResult{Message: sent, Person: m.Subscriber, Worker: worker, Result: message.LeftInDoubt{}})
	if m = call[api.Message](w, "GET", path, nil, 200); m.Status != message.InDoubt {
		t.Errorf("in doubt: %+v", m)
	}
	call[any](w, "POST", path+"/resend", nil, 204)
	if m = call[api.Message](w, "GET", path, nil, 200); m.Status != message.Waiting {
		t.Errorf("sent again: %+v", m)
	}
	w.message(`{"to":{"email":"bob@example.com"},"from_email":"shop@example.com","template":"` + template.String() + `"}`)
	first := call[api.Page[api.Message]](w, "GET", "/messages?limit=1", nil, 200)
	second := call[api.Page[api.Message]](w, "GET", "/messages?limit=1&after="+first.Next, nil, 200)
	if len(first.Items) != 1 || len(second.Items) != 1 || second.Items[0].ID != sent || second.Next != "" {
		t.Errorf("pages: %+v, %+v", first, second)
	}
}

// A test of a campaign says what the campaign says, and is listed as its test.
func TestCampaignTest(t *testing.T) {
	w := newWorld(t)
	template := call[api.TemplateID](w, "POST", "/templates", api.TemplateNew{Name: "x", Subject: "x", Text: "x"}, 201).ID
	campaign := call[api.CampaignID](w, "POST", "/campaigns", api.CampaignSettings{
		Name: "May", Template: template, FromName: "Books", FromEmail: "news@example.com", ReplyTo: "help@example.com",
	}, 201).ID
	sent := call[api.MessageID](w, "POST", "/campaigns/"+campaign.String()+"/test", api.CampaignTest{
		To: api.MessageTo{Email: "ann@example.com"}, Attributes: map[string]string{"city": "Oslo"},
	}, 202).ID
	if m := call[api.Message](w, "GET", "/messages/"+sent.String(), nil, 200); m.Kind != message.Test || m.Campaign != campaign || m.Template != template {
		t.Errorf("%+v", m)
	}
	past, err := w.log.Load(t.Context(), message.Stream(sent))
	if err != nil {
		t.Fatal(err)
	}
	asked := past[0].Data.(message.Requested)
	city, _ := asked.Variables.Reveal()
	if asked.FromName != "Books" || asked.FromEmail != "news@example.com" || asked.ReplyTo != "help@example.com" || city["city"] != "Oslo" {
		t.Errorf("%+v, in %v", asked, city)
	}
}

// What a message may not be is refused, and nothing is stored.
func TestMessageRefusals(t *testing.T) {
	w := newWorld(t)
	id, many := newID().String(), strings.Repeat("x", 17<<10)
	for body, code := range map[string]string{
		`{"to":{"email":"ann@example.com"},"from_email":"a b","template":"` + id + `"}`:                                            "bad_address",
		`{"to":{"email":"ann@example.com"},"from_email":"a@b","template":"` + domain.ID{}.String() + `"}`:                          "template_revision_required",
		`{"to":{"email":"ann@example.com","name":"a\u0000"},"from_email":"a@b","template":"` + id + `"}`:                           "bad_text",
		`{"to":{"email":"ann@example.com"},"from_email":"a@b","template":"` + id + `","variables":{"a":"` + many + `"}}`:           "too_many_variables",
		`{"to":{"email":"ann@example.com"},"from_email":"a@b","template":"` + id + `","subject":"not here: it is the template's"}`: "validation_failed",
		`{"to":{"email":["ann@example.com","bob@example.com"]},"from_email":"a@b","template":"` + id + `"}`:                        "validation_failed",
	} {
		before := w.head()
		if got := w.raw(w.own, "POST", "/messages", body); got.status != 422 || got.code() != code {
			t.Errorf("%.90s: %d %s, want %s", body, got.status, got.body, code)
		}
		if w.head() != before {
			t.Errorf("%.90s: something was stored", body)
		}
	}
}
