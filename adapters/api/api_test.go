package api_test

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/cleversender/cleversender/adapters/api"
	"github.com/cleversender/cleversender/domain/account"
	"github.com/cleversender/cleversender/domain/campaign"
	"github.com/cleversender/cleversender/domain/consent"
	"github.com/cleversender/cleversender/domain/subscriber"
	"github.com/cleversender/cleversender/projections/audience"
	questions "github.com/cleversender/cleversender/projections/catalog"
)

// The whole way of a campaign, from a list to its report, call by call.
func TestCampaignWay(t *testing.T) {
	w := newWorld(t)
	list := w.list("News")
	person := w.subscriber("Ann@Example.com", list)
	call[any](w, "POST", "/subscribers/"+person.String()+"/consents",
		api.ConsentAnswer{Action: "give", Purpose: consent.Mailing, List: list}, 200)
	template := call[api.TemplateID](w, "POST", "/templates",
		api.TemplateNew{Name: "Spring", Subject: "Hello {{ name }}", HTML: "<p>hi</p>"}, 201).ID
	settings := api.CampaignSettings{Name: "Spring", FromEmail: "news@example.com"}
	id := call[api.CampaignID](w, "POST", "/campaigns", settings, 201).ID.String()
	settings.Lists, settings.Template = append(settings.Lists, list), template
	settings.Tracking = api.Tracking{Opens: true, Clicks: true}
	settings.Server, settings.Window = "relay", "mon-sun 00:00-24:00 UTC"
	call[any](w, "PUT", "/campaigns/"+id, settings, 204)
	call[any](w, "POST", "/campaigns/"+id+"/schedule", api.CampaignSchedule{StartAt: w.clock.now().Add(time.Hour)}, 204)
	if c := call[api.Campaign](w, "GET", "/campaigns/"+id, nil, 200); c.Status != campaign.Waiting || c.StartAt.IsZero() {
		t.Errorf("scheduled: %+v", c)
	}
	call[any](w, "POST", "/campaigns/"+id+"/unschedule", nil, 204)
	call[any](w, "POST", "/campaigns/"+id+"/start", nil, 204)
	call[any](w, "POST", "/campaigns/"+id+"/pause", api.CampaignPause{Reason: "typo"}, 204)
	call[any](w, "POST", "/campaigns/"+id+"/throttle", api.CampaignThrottle{PerHour: 600}, 204)
	c := call[api.Campaign](w, "GET", "/campaigns/"+id, nil, 200)
	if c.PerHour != 600 || c.HeldBy != "" || c.Status != campaign.Held || c.Reason != "typo" || c.ContentHash == "" {
		t.Errorf("paused: %+v", c)
	}
	if diff := cmp.Diff(settings, c.Settings); diff != "" {
		t.Error(diff)
	}
	call[any](w, "POST", "/campaigns/"+id+"/resume", nil, 204)
	if c := call[api.Campaign](w, "GET", "/campaigns/"+id, nil, 200); c.HeldBy != "window" || c.HeldUntil.IsZero() {
		t.Errorf("held: %+v", c)
	}
	report := call[api.Report](w, "GET", "/campaigns/"+id+"/report", nil, 200)
	if report.Status != campaign.Sending || len(report.Links) != 1 || report.Links[0].URL != "https://example.com" {
		t.Errorf("report: %+v", report)
	}
	call[any](w, "POST", "/campaigns/"+id+"/cancel", nil, 204)
	page := call[api.Page[api.Campaign]](w, "GET", "/campaigns", nil, 200)
	if len(page.Items) != 1 || page.Items[0].Status != campaign.CalledOff {
		t.Errorf("list: %+v", page)
	}
}

// A report of a campaign that has not started is all zero, with no null in it.
func TestReportBeforeStart(t *testing.T) {
	w := newWorld(t)
	id := call[api.CampaignID](w, "POST", "/campaigns", api.CampaignSettings{Name: "x"}, 201).ID.String()
	got := w.raw(w.own, "GET", "/campaigns/"+id+"/report", "")
	if got.status != 200 || strings.Contains(string(got.body), "null") {
		t.Errorf("%d %s", got.status, got.body)
	}
}

// A person is added, found by address, corrected, and moves to a new address.
func TestSubscriberWay(t *testing.T) {
	w := newWorld(t)
	list := w.list("News")
	id := w.subscriber("Ann@Example.COM", list)
	found := call[api.Subscriber](w, "POST", "/subscribers/find", api.SubscriberQuery{Email: " ann@example.com "}, 200)
	want := api.Subscriber{
		ID: id, Email: "Ann@example.com", Name: "Ann", Source: "api", AddedAt: found.AddedAt,
		Lists:  []api.Membership{{List: list, Standing: audience.Silent, Since: found.AddedAt}},
		Holds:  []api.Hold{},
		Agreed: []consent.Purpose{},
	}
	if diff := cmp.Diff(want, found); diff != "" {
		t.Error(diff)
	}
	email, attributes := "ann@new.example", map[string]string{"city": "Łódź"}
	call[any](w, "PATCH", "/subscribers/"+id.String(), api.SubscriberChange{Email: &email, Attributes: &attributes}, 204)
	now := call[api.Subscriber](w, "GET", "/subscribers/"+id.String(), nil, 200)
	if now.Email != email || now.Name != "Ann" || now.Attributes["city"] != "Łódź" {
		t.Errorf("after the correction: %+v", now)
	}
	if got := w.raw(w.own, "POST", "/subscribers/find", `{"email":"ann@example.com"}`); got.code() != "not_found" {
		t.Errorf("the old address still finds: %d %s", got.status, got.body)
	}
	call[any](w, "POST", "/subscribers/find", api.SubscriberQuery{Email: email}, 200)
	members := call[api.Page[api.Member]](w, "GET", "/lists/"+list.String()+"/members", nil, 200)
	if len(members.Items) != 1 || members.Items[0].Subscriber != id {
		t.Errorf("members: %+v", members)
	}
}

// An address that another person has, or that was suppressed, is refused, and
// nothing moves.
func TestAddressConflicts(t *testing.T) {
	w := newWorld(t)
	ann := w.subscriber("ann@example.com", w.list("News"))
	w.subscriber("bob@example.com", w.list("Other"))
	w.people.gone[w.account.String()+"gone@example.com"] = true
	before := w.head()
	for body, want := range map[string]string{
		`{"email":"bob@example.com"}`:                                         "address_taken",
		`{"email":"not an address"}`:                                          "address_has_controls",
		`{"email":"ann@fine.example","name":"a\nb"}`:                          "bad_text",
		`{"email":"` + strings.Repeat("x", 300) + `@e.com"}`:                  "address_too_long",
		`{"email":"ann@fine.example","attributes":{"` + "\\u0000" + `":"x"}}`: "bad_text",
	} {
		got := w.raw(w.own, "PATCH", "/subscribers/"+ann.String(), body)
		if got.code() != want {
			t.Errorf("%.40s: %d %s, want %s", body, got.status, got.body, want)
		}
	}
	if got := w.raw(w.own, "POST", "/subscribers", `{"email":"gone@example.com"}`); got.status != 409 || got.code() != "address_suppressed" {
		t.Errorf("suppressed: %d %s", got.status, got.body)
	}
	if w.head() != before {
		t.Error("something was stored")
	}
	call[any](w, "POST", "/subscribers/find", api.SubscriberQuery{Email: "ann@example.com"}, 200)
}

// Consent is given, withdrawn, and shown as it was at any moment.
func TestConsentHistory(t *testing.T) {
	w := newWorld(t)
	list := w.list("News")
	path := "/subscribers/" + w.subscriber("ann@example.com", list).String() + "/consents"
	call[any](w, "POST", path, api.ConsentAnswer{
		Action: "give", Purpose: consent.Mailing, List: list, Method: consent.ByForm, IP: "198.51.100.7", Wording: strings.Repeat("ab", 32),
	}, 200)
	between := w.clock.now()
	call[any](w, "POST", path, api.ConsentAnswer{Action: "request", Purpose: consent.OpenTracking}, 200)
	call[any](w, "POST", path, api.ConsentAnswer{Action: "revoke", Purpose: consent.Mailing, List: list}, 200)
	now := call[api.ConsentHistory](w, "GET", path, nil, 200)
	if len(now.Entries) != 3 || now.Entries[0].IP != "198.51.100.7" || now.Entries[0].Wording == "" {
		t.Fatalf("entries: %+v", now.Entries)
	}
	if s := now.Standing; len(s) != 2 || s[0].Status != consent.StatusRevoked || s[0].InForce || s[1].Status != consent.StatusRequested {
		t.Errorf("now: %+v", s)
	}
	then := call[api.ConsentHistory](w, "GET", path+"?at="+between.Format(time.RFC3339Nano), nil, 200)
	if s := then.Standing; len(then.Entries) != 1 || len(s) != 1 || s[0].Status != consent.StatusGiven || !s[0].InForce {
		t.Errorf("then: %+v", then)
	}
	timeline := call[api.Page[api.TimelineEntry]](w, "GET", strings.TrimSuffix(path, "/consents")+"/timeline?limit=2", nil, 200)
	if len(timeline.Items) != 2 || timeline.Next == "" || timeline.Items[0].Type != "subscriber.added" {
		t.Errorf("timeline: %+v", timeline)
	}
	rest := call[api.Page[api.TimelineEntry]](w, "GET", strings.TrimSuffix(path, "/consents")+"/timeline?after="+timeline.Next, nil, 200)
	if len(rest.Items) != 3 || rest.Next != "" {
		t.Errorf("rest: %+v", rest)
	}
}

// Double opt-in: a yes counts once it is confirmed.
func TestDoubleOptIn(t *testing.T) {
	w := newWorld(t)
	list := call[api.ListCreated](w, "POST", "/lists", api.ListNew{Name: "News", DoubleOptIn: true}, 201).ID
	path := "/subscribers/" + w.subscriber("ann@example.com", list).String() + "/consents"
	for i, want := range []bool{false, true} {
		action := []string{"give", "confirm"}[i]
		made := call[api.ConsentRecorded](w, "POST", path, api.ConsentAnswer{Action: action, Purpose: consent.Mailing, List: list}, 200)
		if asks := made.ConfirmURL != ""; asks == want {
			t.Errorf("after %s the link to confirm by is %q", action, made.ConfirmURL)
		}
		if s := call[api.ConsentHistory](w, "GET", path, nil, 200).Standing; len(s) != 1 || s[0].InForce != want {
			t.Errorf("after %s: %+v", action, s)
		}
	}
	counts := call[api.List](w, "GET", "/lists/"+list.String(), nil, 200).Counts
	if counts != (api.ListCounts{Members: 1, Mailable: 1}) {
		t.Errorf("counts: %+v", counts)
	}
}

// A template is made, edited, listed and rendered for a sample.
func TestTemplateWay(t *testing.T) {
	w := newWorld(t)
	in := api.TemplateNew{Name: "Spring", Subject: "Hello {{ name }}", Text: "hi"}
	path := "/templates/" + call[api.TemplateID](w, "POST", "/templates", in, 201).ID.String()
	in.Text = "hello"
	call[any](w, "PUT", path, in, 204)
	if got := call[api.Template](w, "GET", path, nil, 200); got.Text != "hello" || got.Revision != 2 {
		t.Errorf("edited: %+v", got)
	}
	if got := call[api.Rendered](w, "POST", path+"/preview", api.Sample{Name: "Ann"}, 200); got.Subject != "Hello Ann" {
		t.Errorf("preview: %+v", got)
	}
	if got := w.raw(w.own, "POST", "/templates", `{"name":"x","subject":"x","html":"{% broken %}"}`); got.status != 422 || got.code() != "template_invalid" {
		t.Errorf("broken: %d %s", got.status, got.body)
	}
	if page := call[api.Page[api.Template]](w, "GET", "/templates", nil, 200); len(page.Items) != 1 {
		t.Errorf("list: %+v", page)
	}
}

// A file is imported as it is sent, and its errors can be downloaded.
func TestImportWay(t *testing.T) {
	w := newWorld(t)
	list := w.list("News")
	file := "Mail;Vorname\nann@example.com;Ann\nnot an address;Bob\nann@example.com;Ann\n"
	path := "/imports?list=" + list.String() + "&purposes=mailing,open_tracking&source=fair&delimiter=semicolon&map=Mail%3Demail&map=Vorname%3Dname"
	got := w.raw(w.own, "POST", path, file, "Content-Type", "text/csv", api.IdempotencyHeader, "file-1")
	var done api.Import
	if err := json.Unmarshal(got.body, &done); err != nil || got.status != 201 {
		t.Fatalf("%d %s", got.status, got.body)
	}
	if done.Status != "finished" || done.Counts != (api.ImportCounts{Added: 1, Unchanged: 1, Rejected: 1}) || len(done.SHA256) != 64 || done.Source != "fair" {
		t.Errorf("import: %+v", done)
	}
	before := w.head()
	if again := w.raw(w.own, "POST", path, file, "Content-Type", "text/csv", api.IdempotencyHeader, "file-1"); again.status != 201 || w.head() != before {
		t.Errorf("sent again: %d, head %d to %d", again.status, before, w.head())
	}
	errors := w.raw(w.own, "GET", "/imports/"+done.ID.String()+"/errors", "")
	if errors.status != 200 || !strings.HasPrefix(string(errors.body), "line,code,column\n3,") || !strings.HasPrefix(errors.header.Get("Content-Type"), "text/csv") {
		t.Errorf("errors: %d %q", errors.status, errors.body)
	}
	if strings.Contains(string(errors.body), "not an address") {
		t.Error("a value of the file is shown")
	}
	person := call[api.Subscriber](w, "POST", "/subscribers/find", api.SubscriberQuery{Email: "ann@example.com"}, 200)
	if person.Name != "Ann" || len(person.Agreed) != 1 || person.Lists[0].Standing != audience.Mailable {
		t.Errorf("person: %+v", person)
	}
	if page := call[api.Page[api.Import]](w, "GET", "/imports", nil, 200); len(page.Items) != 1 || page.Items[0].ID != done.ID {
		t.Errorf("list: %+v", page)
	}
}

// Privacy requests are opened by id or by address; a bundle is there once the
// desk has been.
func TestRequestWay(t *testing.T) {
	w := newWorld(t)
	person := w.subscriber("ann@example.com", w.list("News"))
	opened := call[api.RequestOpened](w, "POST", "/requests", api.RequestNew{Kind: "access", Email: "ann@example.com"}, 201)
	if opened.Subscriber != person {
		t.Errorf("opened for %s", opened.Subscriber)
	}
	path := "/requests/" + opened.ID.String()
	if got := w.raw(w.own, "GET", path+"/bundle", ""); got.status != 409 || got.code() != "not_fulfilled" {
		t.Errorf("bundle too early: %d %s", got.status, got.body)
	}
	run(w, w.account, fulfil(opened.ID, person))
	q := call[api.Request](w, "GET", path, nil, 200)
	if q.FulfilledAt.IsZero() || q.Access == nil || q.Access.Events != 3 || q.Erasure != nil || q.Due.Sub(q.ReceivedAt) < 29*24*time.Hour {
		t.Errorf("request: %+v", q)
	}
	if got := w.raw(w.own, "GET", path+"/bundle", ""); got.status != 200 || string(got.body) != `{"bundle":true}` || !strings.Contains(got.header.Get("Content-Disposition"), "attachment") {
		t.Errorf("bundle: %d %s", got.status, got.body)
	}
	erasure := call[api.RequestOpened](w, "POST", "/requests", api.RequestNew{Kind: "erasure", Subscriber: person}, 201)
	if got := w.raw(w.own, "GET", "/requests/"+erasure.ID.String()+"/bundle", ""); got.code() != "no_bundle" {
		t.Errorf("bundle of an erasure: %s", got.body)
	}
	if got := w.raw(w.own, "POST", "/requests", `{"kind":"access"}`); got.code() != "person_required" {
		t.Errorf("about nobody: %s", got.body)
	}
	if page := call[api.Page[api.Request]](w, "GET", "/requests", nil, 200); len(page.Items) != 2 || page.Items[0].ID != erasure.ID {
		t.Errorf("list: %+v", page)
	}
}

// A person is suppressed, restricted and objects; each ends by its own way, and
// shows until then.
func TestHoldWay(t *testing.T) {
	w := newWorld(t)
	list := w.list("News")
	person := w.subscriber("ann@example.com", list)
	path := "/subscribers/" + person.String()
	change := func(c api.HoldChange) { call[any](w, "POST", path+"/holds", c, 204) }
	held := func() (out []subscriber.Hold) {
		for _, h := range call[api.Subscriber](w, "GET", path, nil, 200).Holds {
			out = append(out, h.Hold)
		}
		return out
	}
	change(api.HoldChange{Action: "suppress", Note: "asked by phone"})
	change(api.HoldChange{Action: "suppress", Reason: subscriber.Complaint})
	change(api.HoldChange{Action: "restrict"})
	change(api.HoldChange{Action: "object", Method: consent.ByDataRequest})
	want := []subscriber.Hold{subscriber.Manual, subscriber.Complaint, subscriber.Restriction, subscriber.Objection}
	if diff := cmp.Diff(want, held()); diff != "" {
		t.Error(diff)
	}
	if counts := call[api.List](w, "GET", "/lists/"+list.String(), nil, 200).Counts; counts != (api.ListCounts{Members: 1, Restricted: 1}) {
		t.Errorf("counts %+v", counts)
	}
	first := call[api.Page[api.Suppression]](w, "GET", "/suppressions?limit=1", nil, 200)
	second := call[api.Page[api.Suppression]](w, "GET", "/suppressions?limit=1&after="+first.Next, nil, 200)
	for i, reason := range []subscriber.Hold{subscriber.Complaint, subscriber.Manual} {
		s := append(first.Items, second.Items...)[i]
		if s.Subscriber != person || s.Email != "ann@example.com" || s.Reason != reason || s.Since.IsZero() || second.Next != "" {
			t.Errorf("suppression %+v, then %q", s, second.Next)
		}
	}
	if page := call[api.Page[api.TimelineEntry]](w, "GET", path+"/timeline", nil, 200); page.Items[2].Note != "asked by phone" {
		t.Errorf("timeline %+v", page.Items[2])
	}
	change(api.HoldChange{Action: "unsuppress", Note: "she wrote again"})
	change(api.HoldChange{Action: "lift", InformedAt: w.clock.now().Add(-time.Hour)})
	change(api.HoldChange{Action: "withdraw", Note: "by letter"})
	if got := held(); len(got) > 0 {
		t.Errorf("still %v", got)
	}
}

// Tokens: the secret works at once, once revoked at once no more; a token
// cannot issue one that may do more than itself.
func TestTokenWay(t *testing.T) {
	w := newWorld(t)
	issued := call[api.TokenIssued](w, "POST", "/tokens", api.TokenNew{Label: "ci", Scopes: []account.Scope{account.ScopeAccount}}, 201)
	if !strings.HasPrefix(issued.Secret, "cs_") || w.raw(issued.Secret, "GET", "/lists", "").status != 200 {
		t.Fatalf("issued: %+v", issued)
	}
	listed := w.raw(w.own, "GET", "/tokens", "")
	if strings.Contains(string(listed.body), issued.Secret) || !strings.Contains(string(listed.body), issued.ID.String()) {
		t.Errorf("list: %s", listed.body)
	}
	w.hosted.waited = nil
	call[any](w, "DELETE", "/tokens/"+issued.ID.String(), nil, 204)
	if !slices.Equal(w.hosted.waited, []string{"tokens"}) {
		t.Errorf("answered before the token was worth nothing: waited for %v", w.hosted.waited)
	}
	if got := w.raw(issued.Secret, "GET", "/lists", ""); got.status != 401 {
		t.Errorf("revoked: %d", got.status)
	}
	got := w.raw(w.own, "POST", "/tokens", `{"label":"x","scopes":["operator"]}`)
	if got.status != 403 || got.code() != "forbidden" {
		t.Errorf("more than itself: %d %s", got.status, got.body)
	}
}

// The operator creates an account, whose first token acts for it and nobody else.
func TestAccountWay(t *testing.T) {
	w := newWorld(t)
	got := w.raw(w.operator, "POST", "/accounts", `{"name":"Third"}`, api.IdempotencyHeader, "k")
	var created api.AccountCreated
	if err := json.Unmarshal(got.body, &created); err != nil || got.status != 201 {
		t.Fatalf("%d %s", got.status, got.body)
	}
	own := w.raw(created.Token.Secret, "GET", "/account", "")
	var who api.AccountOwn
	if err := json.Unmarshal(own.body, &who); err != nil || who.ID != created.ID || who.Name != "Third" {
		t.Errorf("who: %s", own.body)
	}
	again := w.raw(w.operator, "POST", "/accounts", `{"name":"Third"}`, api.IdempotencyHeader, "k")
	var same api.AccountCreated
	if err := json.Unmarshal(again.body, &same); err != nil || same.ID != created.ID || same.Token.Secret != "" {
		t.Errorf("again: %d %s", again.status, again.body)
	}
	all := w.raw(w.operator, "GET", "/accounts?limit=2", "")
	var page api.Page[api.Account]
	if err := json.Unmarshal(all.body, &page); err != nil || len(page.Items) != 2 || page.Next == "" {
		t.Errorf("accounts: %s", all.body)
	}
}

// A rebuild goes on in the background; asked twice it runs once; its end shows.
func TestRebuild(t *testing.T) {
	w := newWorld(t)
	rebuild := func() api.Projection {
		var p api.Projection
		got := w.raw(w.operator, "POST", "/projections/audience/rebuild", "")
		if err := json.Unmarshal(got.body, &p); err != nil || got.status != http.StatusAccepted {
			t.Fatalf("%d %s", got.status, got.body)
		}
		return p
	}
	rebuild()
	<-w.hosted.begun
	if p := rebuild(); p.Rebuild == nil || *p.Rebuild != (api.Rebuild{Status: "running", Done: 1, Head: 2}) {
		t.Errorf("running: %+v", p.Rebuild)
	}
	w.hosted.end <- nil
	w.server.Close() // waits
	var page api.Page[api.Projection]
	if err := json.Unmarshal(w.raw(w.operator, "GET", "/projections", "").body, &page); err != nil || len(page.Items) != len(questions.All) || page.Items[0].Rebuild.Status != "finished" {
		t.Errorf("projections: %+v", page)
	}
	if got := w.raw(w.operator, "POST", "/projections/nope/rebuild", ""); got.code() != "not_found" {
		t.Errorf("unknown: %s", got.body)
	}
}

// The version is for everybody to see.
func TestVersion(t *testing.T) {
	w := newWorld(t)
	if got := w.raw("", "GET", "/version", ""); got.status != 200 || !strings.Contains(string(got.body), "1.2.3") {
		t.Errorf("%d %s", got.status, got.body)
	}
}
