package api_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/cleversender/cleversender/adapters/api"
	"github.com/cleversender/cleversender/domain"
	"github.com/cleversender/cleversender/domain/consent"
	"github.com/cleversender/cleversender/domain/personal"
)

// Every refusal is a problem document with a status and a stable code, and
// nothing is stored.
func TestRefusals(t *testing.T) {
	w := newWorld(t)
	list := w.list("News").String()
	person := w.subscriber("ann@example.com", domain.ID{}).String()
	campaign := call[api.CampaignID](w, "POST", "/campaigns", api.CampaignSettings{Name: "x"}, 201).ID.String()
	for _, c := range []struct {
		method, path, body string
		status             int
		code               string
	}{
		{"POST", "/lists", `{"name":"x","colour":"red"}`, 422, "validation_failed"},
		{"POST", "/subscribers", `{"email":"a@example.com","admin":true}`, 422, "validation_failed"},
		{"POST", "/campaigns", `{"name":"x","tracking":{"opens":true,"eyes":true}}`, 422, "validation_failed"},
		{"POST", "/lists", `{"name":""}`, 422, "validation_failed"},
		{"POST", "/lists", `{"name":"  "}`, 422, "text_missing"},
		{"POST", "/lists", `{"name":"a\r\nBcc: x"}`, 422, "bad_text"},
		{"POST", "/lists", `{"name":7}`, 422, "validation_failed"},
		{"POST", "/lists", `{"name":`, 400, "bad_request"},
		{"POST", "/lists", `[]`, 422, "validation_failed"},
		{"POST", "/lists", "{\"name\":\"\xff\xfe\"}", 400, "bad_request"},
		{"POST", "/lists", ``, 400, "bad_request"},
		{"POST", "/lists", `{"name":"` + strings.Repeat("x", 2<<20) + `"}`, 413, "body_too_large"},
		{"GET", "/lists?colour=red", ``, 422, "validation_failed"},
		{"GET", "/lists?limit=0", ``, 422, "validation_failed"},
		{"GET", "/lists?limit=501", ``, 422, "validation_failed"},
		{"GET", "/lists?after=nonsense", ``, 422, "bad_cursor"},
		{"GET", "/campaigns?after=nonsense", ``, 422, "bad_cursor"},
		{"GET", "/lists?wait_for=999999999", ``, 422, "bad_position"},
		{"GET", "/lists/nonsense", ``, 422, "validation_failed"},
		{"POST", "/lists/nonsense/archive", ``, 422, "validation_failed"},
		{"GET", "/nowhere", ``, 404, "no_such_route"},
		{"PATCH", "/lists", `{}`, 405, "method_not_allowed"},
		{"POST", "/subscribers", `{"email":"a@example.com","list":"zzz"}`, 422, "validation_failed"},
		{"POST", "/subscribers", `{"email":"a@@example.com"}`, 422, "bad_address"},
		{"POST", "/subscribers", `{"email":"ann@example.com","name":"Bob"}`, 409, "already_exists"},
		{"POST", "/subscribers/" + person + "/consents", `{"action":"give","purpose":"world_peace"}`, 422, "unknown_purpose"},
		{"POST", "/subscribers/" + person + "/consents", `{"action":"give","purpose":"mailing"}`, 422, "list_required"},
		{"POST", "/subscribers/" + person + "/consents", `{"action":"bribe","purpose":"mailing"}`, 422, "validation_failed"},
		{"POST", "/subscribers/" + person + "/consents", `{"action":"confirm","purpose":"mailing","list":"` + list + `"}`, 422, "nothing_to_confirm"},
		{"POST", "/subscribers/" + person + "/holds", `{"action":"bribe"}`, 422, "validation_failed"},
		{"POST", "/subscribers/" + person + "/holds", `{"action":"suppress","reason":"whim"}`, 422, "unknown_reason"},
		{"POST", "/subscribers/" + person + "/holds", `{"action":"suppress","note":"a\u0000"}`, 422, "bad_text"},
		{"POST", "/subscribers/" + person + "/holds", `{"action":"object","method":"import"}`, 422, "unknown_method"},
		{"GET", "/suppressions?after=nonsense", ``, 422, "bad_cursor"},
		{"GET", "/suppressions?after=" + person + ".whim", ``, 422, "bad_cursor"},
		{"GET", "/subscribers/" + person + "/consents?at=yesterday", ``, 422, "validation_failed"},
		{"POST", "/campaigns/" + campaign + "/start", ``, 422, "no_recipient_list"},
		{"POST", "/campaigns/" + campaign + "/pause", `{}`, 409, "campaign_not_started"},
		{"POST", "/campaigns/" + campaign + "/schedule", `{"start_at":"2020-01-01T00:00:00Z"}`, 422, "start_in_past"},
		{"POST", "/campaigns", `{"name":"x","lists":["` + list + `","` + list + `"]}`, 422, "list_twice"},
		{"POST", "/campaigns", `{"name":"x","from_email":"a b"}`, 422, "bad_address"},
		{"POST", "/campaigns", `{"name":"x","window":"at night"}`, 422, "bad_window"},
		{"POST", "/campaigns", `{"name":"x","server":"elsewhere"}`, 422, "unknown_server"},
		{"PUT", "/campaigns/" + campaign, `{"name":"x","server":"elsewhere"}`, 422, "unknown_server"},
		{"POST", "/campaigns/" + campaign + "/throttle", `{"per_hour":-1}`, 422, "validation_failed"},
		{"POST", "/campaigns/" + campaign + "/throttle", `{"per_hour":2000000000}`, 422, "bad_throttle"},
		{"POST", "/imports", `x`, 422, "validation_failed"},
		{"POST", "/imports?list=" + list + "&map=nonsense", `x`, 422, "bad_mapping"},
		{"POST", "/imports?delimiter=pipe", `x`, 422, "validation_failed"},
		{"POST", "/imports?list=" + list + "&purposes=world_peace", "email\n", 422, "unknown_purpose"},
		{"POST", "/requests", `{"kind":"revenge","email":"a@example.com"}`, 422, "validation_failed"},
		{"GET", "/events?types=made.up", ``, 422, "unknown_event_type"},
		{"POST", "/tokens", `{"label":"x","scopes":[]}`, 422, "validation_failed"},
		{"POST", "/tokens", `{"label":"x","scopes":["root"]}`, 422, "unknown_scope"},
		{"DELETE", "/tokens/" + person, ``, 404, "not_found"},
	} {
		before := w.head()
		got := w.raw(w.own, c.method, c.path, c.body)
		if got.status != c.status || got.code() != c.code {
			t.Errorf("%s %s %.60q: %d %q, want %d %q: %.200s", c.method, c.path, c.body, got.status, got.code(), c.status, c.code, got.body)
		}
		if ct := got.header.Get("Content-Type"); ct != "application/problem+json" {
			t.Errorf("%s %s: content type %q", c.method, c.path, ct)
		}
		if w.head() != before {
			t.Errorf("%s %s %.60q: something was stored", c.method, c.path, c.body)
		}
	}
}

// A refusal does not repeat what was sent: it may be a person's.
func TestProblemsRepeatNothing(t *testing.T) {
	w := newWorld(t)
	for _, body := range []string{`{"email":"secret@example.com","x":1}`, `{"email":["secret@example.com"]}`, `{"email":"secret@example.com`, `{"email":"secret@exa mple.com"}`, `{"email":"a@example.com","name":"secret\u0000"}`} {
		got := w.raw(w.own, "POST", "/subscribers", body)
		if got.status < 400 || bytes.Contains(got.body, []byte("secret")) {
			t.Errorf("%s: %d %s", body, got.status, got.body)
		}
	}
}

// No token, a forged one, or one with too little scope gets nowhere.
func TestAuthentication(t *testing.T) {
	w := newWorld(t)
	for _, header := range []string{"", "Bearer", "Bearer ", "Bearer cs_forged", "Basic cs_own", "cs_own", "Bearer cs_own x"} {
		for _, path := range []string{"/lists", "/account", "/events", "/projections", "/campaigns/" + newID().String()} {
			got := w.raw("", "GET", path, "", "Authorization", header)
			if got.status != 401 || got.code() != "unauthenticated" || got.header.Get("WWW-Authenticate") == "" {
				t.Errorf("%q %s: %d %s", header, path, got.status, got.body)
			}
		}
	}
	for path, method := range map[string]string{"/projections": "GET", "/projections/audience/rebuild": "POST", "/accounts": "GET"} {
		if got := w.raw(w.own, method, path, ""); got.status != 403 || got.code() != "forbidden" {
			t.Errorf("%s: %d %s", path, got.status, got.body)
		}
	}
}

// What another account holds looks just like what does not exist, to every call.
func TestOtherAccountsThings(t *testing.T) {
	w := newWorld(t)
	list := w.list("News")
	person := w.subscriber("ann@example.com", list)
	template := call[api.TemplateID](w, "POST", "/templates", api.TemplateNew{Name: "x", Subject: "x", Text: "x"}, 201).ID.String()
	campaign := call[api.CampaignID](w, "POST", "/campaigns", api.CampaignSettings{Name: "x"}, 201).ID.String()
	request := call[api.RequestOpened](w, "POST", "/requests", api.RequestNew{Kind: "access", Subscriber: person}, 201).ID.String()
	var file api.Import
	if got := w.raw(w.own, "POST", "/imports?list="+list.String(), "email\nbob@example.com\n", "Content-Type", "text/csv"); json.Unmarshal(got.body, &file) != nil {
		t.Fatalf("%d %s", got.status, got.body)
	}
	asked := `{"to":{"email":"ann@example.com"},"from_email":"shop@example.com","template":"` + template + `"}`
	letter := w.message(asked)
	settings, content, answer := `{"name":"x"}`, `{"name":"y","subject":"y","text":"y"}`, `{"action":"give","purpose":"open_tracking"}`
	ids := map[string][]string{
		list.String():    {"GET /lists/%", "POST /lists/%/archive", "GET /lists/%/members", `POST /subscribers {"email":"x@example.com","list":"%"}`, `POST /campaigns {"name":"x","lists":["%"]}`, "POST /imports?list=% email"},
		person.String():  {"GET /subscribers/%", `PATCH /subscribers/% {"name":"x"}`, `PATCH /subscribers/% {"email":"x@example.com"}`, "GET /subscribers/%/consents", "POST /subscribers/%/consents " + answer, "GET /subscribers/%/timeline", `POST /subscribers/%/holds {"action":"suppress"}`, `POST /requests {"kind":"erasure","subscriber":"%"}`},
		template:         {"GET /templates/%", "PUT /templates/% " + content, "POST /templates/%/preview {}", `POST /campaigns {"name":"x","template":"%"}`},
		campaign:         {"GET /campaigns/%", "PUT /campaigns/% " + settings, "GET /campaigns/%/report", `POST /campaigns/%/schedule {"start_at":"2027-01-01T00:00:00Z"}`, "POST /campaigns/%/unschedule", "POST /campaigns/%/start", "POST /campaigns/%/pause {}", `POST /campaigns/%/throttle {"per_hour":60}`, "POST /campaigns/%/resume", "POST /campaigns/%/cancel", `POST /campaigns/%/test {"to":{"email":"ann@example.com"}}`},
		letter:           {"GET /messages/%", "POST /messages/%/resend"},
		request:          {"GET /requests/%", "GET /requests/%/bundle"},
		file.ID.String(): {"GET /imports/%", "GET /imports/%/errors"},
	}
	before, known := w.head(), len(w.people.by)
	w.broken = errors.New("made something of another account's")
	for id, calls := range ids {
		for _, c := range calls {
			method, rest, _ := strings.Cut(c, " ")
			for _, tried := range []string{id, newID().String()} {
				path, body, _ := strings.Cut(strings.ReplaceAll(rest, "%", tried), " ")
				got := w.raw(w.stranger, method, path, body)
				if got.status != 404 || got.code() != "not_found" {
					t.Errorf("%s (%v): %d %s", c, tried == id, got.status, got.body)
				}
			}
		}
	}
	if got := w.raw(w.stranger, "POST", "/subscribers/find", `{"email":"ann@example.com"}`); got.code() != "not_found" {
		t.Errorf("found by address: %s", got.body)
	}
	for _, path := range []string{"/lists", "/subscribers", "/templates", "/campaigns", "/requests", "/imports", "/suppressions", "/messages"} {
		if got := w.raw(w.stranger, "GET", path, ""); got.status != 200 || !strings.Contains(string(got.body), `"items":[]`) {
			t.Errorf("%s: %d %s", path, got.status, got.body)
		}
	}
	if w.head() != before || len(w.people.by) != known {
		t.Error("something was stored")
	}
}

// A POST sent twice with its key does what it does once, and answers the same;
// the key of another request is refused.
func TestIdempotencyKeys(t *testing.T) {
	w := newWorld(t)
	person := "/subscribers/" + w.subscriber("ann@example.com", domain.ID{}).String()
	for _, c := range []struct{ path, body, other, code string }{
		{"/lists", `{"name":"a"}`, `{"name":"b"}`, "already_exists"},
		{"/templates", `{"name":"a","subject":"a","text":"a"}`, `{"name":"a","subject":"b","text":"a"}`, "already_exists"},
		{"/campaigns", `{"name":"a"}`, `{"name":"b"}`, "already_exists"},
		{"/messages", `{"to":{"email":"ann@example.com"},"from_email":"shop@example.com","template":"` + newID().String() + `"}`, `{"to":{"email":"ann@example.com"},"from_email":"other@example.com","template":"` + newID().String() + `"}`, "already_exists"},
		{"/requests", `{"kind":"access","email":"ann@example.com"}`, `{"kind":"erasure","email":"ann@example.com"}`, "already_exists"},
		{person + "/consents", `{"action":"give","purpose":"profiling"}`, `{"action":"give","purpose":"open_tracking"}`, "idempotency_key_reused"},
	} {
		first := w.raw(w.own, "POST", c.path, c.body, api.IdempotencyHeader, "key")
		after := w.head()
		again := w.raw(w.own, "POST", c.path, c.body, api.IdempotencyHeader, "key")
		if first.status >= 300 || again.status != first.status || !bytes.Equal(again.body, first.body) {
			t.Errorf("%s: %d %s, then %d %s", c.path, first.status, first.body, again.status, again.body)
		}
		other := w.raw(w.own, "POST", c.path, c.other, api.IdempotencyHeader, "key")
		if other.status != 409 || other.code() != c.code {
			t.Errorf("%s, reused: %d %s", c.path, other.status, other.body)
		}
		if w.head() != after {
			t.Errorf("%s: something more was stored", c.path)
		}
	}
	if w.raw(w.stranger, "POST", "/lists", `{"name":"b"}`, api.IdempotencyHeader, "key").status != 201 {
		t.Error("the key of one account stands in the way of another")
	}
	opened := w.raw(w.own, "POST", "/requests", `{"kind":"access","email":"ann@example.com"}`, api.IdempotencyHeader, "one")
	w.subscriber("bob@example.com", domain.ID{})
	if got := w.raw(w.own, "POST", "/requests", `{"kind":"access","email":"bob@example.com"}`, api.IdempotencyHeader, "one"); opened.status != 201 || got.code() != "idempotency_key_reused" {
		t.Errorf("about somebody else: %d %s", got.status, got.body)
	}
}

// A yes that is sent again after a no does not undo the no.
func TestRetryDoesNotUndo(t *testing.T) {
	w := newWorld(t)
	list := w.list("News")
	path := "/subscribers/" + w.subscriber("ann@example.com", domain.ID{}).String() + "/consents"
	yes := api.ConsentAnswer{Action: "give", Purpose: consent.Mailing, List: list}
	call[any](w, "POST", path, yes, 200, api.IdempotencyHeader, "yes")
	call[any](w, "POST", path, api.ConsentAnswer{Action: "revoke", Purpose: consent.Mailing, List: list}, 200)
	call[any](w, "POST", path, yes, 200, api.IdempotencyHeader, "yes")
	if s := call[api.ConsentHistory](w, "GET", path, nil, 200).Standing; s[0].Status != consent.StatusRevoked {
		t.Errorf("the retry made it %q", s[0].Status)
	}
}

// A fault is shown as "internal error" and logged once, without what was sent.
func TestFault(t *testing.T) {
	w := newWorld(t)
	w.broken = errors.New("disk on fire")
	got := w.raw(w.own, "POST", "/imports?source=secret&list="+w.list("News").String(), "email\nsecret@example.com\n", "Content-Type", "text/csv")
	if got.status != 500 || got.code() != "internal_error" || bytes.Contains(got.body, []byte("fire")) {
		t.Errorf("%d %s", got.status, got.body)
	}
	logged := w.logged.String()
	if strings.Count(logged, "disk on fire") != 1 || strings.Contains(logged, "secret") || strings.Contains(logged, w.own) {
		t.Errorf("logged %q", logged)
	}
}

// Refusals are not logged: they are answers.
func TestRefusalsAreNotLogged(t *testing.T) {
	w := newWorld(t)
	w.raw(w.own, "POST", "/lists", `{"name":"  "}`)
	w.raw(w.own, "GET", "/lists/"+newID().String(), "")
	if w.logged.Len() > 0 {
		t.Errorf("logged %q", w.logged)
	}
}

// Who waits for a projection that does not come that far is told to try again.
func TestWaitIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.hosted.stuck = true
		begun := time.Now()
		got := w.raw(w.own, "GET", "/lists?wait_for=1", "")
		if got.status != 503 || got.code() != "not_caught_up" {
			t.Errorf("%d %s", got.status, got.body)
		}
		if waited := time.Since(begun); waited > time.Minute {
			t.Errorf("waited for %v", waited)
		}
	})
}

// A change says where it is in the log.
func TestPositionOfAChange(t *testing.T) {
	w := newWorld(t)
	got := w.raw(w.own, "POST", "/lists", `{"name":"a"}`, api.IdempotencyHeader, "k")
	if want := strconv.FormatUint(uint64(w.head()), 10); got.position() != want {
		t.Errorf("%q, want %q", got.position(), want)
	}
	if again := w.raw(w.own, "POST", "/lists", `{"name":"a"}`, api.IdempotencyHeader, "k"); again.position() == "" || again.position() == "0" {
		t.Errorf("of nothing new: %q", again.position())
	}
	if read := w.raw(w.own, "GET", "/lists?wait_for="+got.position(), ""); read.status != 200 {
		t.Error(read.status)
	}
}

// The log shows no personal value unasked, its own to the account when asked,
// and of the erased nothing to anybody.
func TestEventsAndPersonalValues(t *testing.T) {
	w := newWorld(t)
	person := w.subscriber("ann@example.com", domain.ID{})
	of := func(token, query string) (answer, api.EventPage) {
		got := w.raw(token, "GET", "/events?types=subscriber.added"+query, "")
		var p api.EventPage
		_ = json.Unmarshal(got.body, &p)
		return got, p
	}
	hidden, page := of(w.own, "")
	if bytes.Contains(hidden.body, []byte("ann@")) || len(page.Items) != 1 || page.Items[0].Data["email"] != "[personal]" || page.Items[0].Subject != person {
		t.Errorf("unasked: %s", hidden.body)
	}
	if got, page := of(w.own, "&reveal=true"); len(page.Items) != 1 || page.Items[0].Data["email"] != "ann@example.com" {
		t.Errorf("asked: %s", got.body)
	}
	if got, page := of(w.stranger, "&reveal=true"); got.status != 200 || len(page.Items) != 0 || page.Next == "" {
		t.Errorf("another account: %s", got.body)
	}
	if got, page := of(w.operator, "&all=true"); len(page.Items) != 1 || page.Items[0].Data["email"] != "[personal]" {
		t.Errorf("the operator: %s", got.body)
	}
	if got, _ := of(w.operator, "&all=true&reveal=true"); got.status != 403 {
		t.Errorf("the operator, asking for all: %d", got.status)
	}
	if got, _ := of(w.own, "&all=true"); got.status != 403 {
		t.Errorf("all without being the operator: %d", got.status)
	}
	w.keys.by[personal.KeyRef{Subject: person, Class: personal.Identity}] = nil
	if got, page := of(w.own, "&reveal=true"); len(page.Items) != 1 || page.Items[0].Data["email"] != "[erased]" {
		t.Errorf("erased: %s", got.body)
	}
}

// Pages of the log join without a gap.
func TestEventPages(t *testing.T) {
	w := newWorld(t)
	for range 5 {
		w.list("x")
	}
	var seen []uint64
	for after := ""; len(seen) < 20; {
		page := call[api.EventPage](w, "GET", "/events?limit=2&after="+after, nil, 200)
		for _, e := range page.Items {
			seen = append(seen, e.Position)
		}
		if after = page.Next; len(page.Items) == 0 {
			break
		}
	}
	if len(seen) != 8 { // account, two tokens, five lists; the other account's are not there
		t.Errorf("seen %v", seen)
	}
	for i := 1; i < len(seen); i++ {
		if seen[i] <= seen[i-1] {
			t.Errorf("out of order: %v", seen)
		}
	}
}

// The description is OpenAPI 3.1, lists every route with its token, its
// problems and nothing undocumented, and is served as it is.
func TestOpenAPI(t *testing.T) {
	w := newWorld(t)
	got := w.raw("", "GET", "/openapi.json", "")
	var doc struct {
		OpenAPI string                                `json:"openapi"`
		Paths   map[string]map[string]json.RawMessage `json:"paths"`
		Info    struct{ Title, Version string }       `json:"info"`
	}
	if err := json.Unmarshal(got.body, &doc); err != nil || got.status != 200 || !strings.HasPrefix(doc.OpenAPI, "3.1") || doc.Info.Version != "1.2.3" {
		t.Fatalf("%d %.200s", got.status, got.body)
	}
	count := 0
	seen := map[string]bool{}
	for path, item := range w.server.OpenAPI().Paths {
		for method, op := range map[string]*huma.Operation{"GET": item.Get, "POST": item.Post, "PUT": item.Put, "PATCH": item.Patch, "DELETE": item.Delete} {
			if op == nil {
				continue
			}
			count++
			if _, ok := doc.Paths[path][strings.ToLower(method)]; !ok {
				t.Errorf("%s %s is not served", method, path)
			}
			if seen[op.OperationID] || op.Summary == "" || len(op.Tags) != 1 {
				t.Errorf("%s %s: operation %q, summary %q, tags %v", method, path, op.OperationID, op.Summary, op.Tags)
			}
			seen[op.OperationID] = true
			if len(op.Security) == 0 && op.OperationID != "get-version" {
				t.Errorf("%s %s takes no token", method, path)
			}
			at := strings.NewReplacer("{id}", newID().String(), "{name}", "audience").Replace(strings.TrimPrefix(path, api.Prefix))
			if got := w.raw("", method, at, ""); op.OperationID != "get-version" && got.status != 401 {
				t.Errorf("%s %s without a token: %d", method, path, got.status)
			}
		}
	}
	if count < 40 {
		t.Errorf("%d operations", count)
	}
	checkRefs(t, got.body)
}

// checkRefs follows every reference inside the document.
func checkRefs(t *testing.T, raw []byte) {
	t.Helper()
	var doc map[string]any
	if err := json.Unmarshal(raw, &doc); err != nil {
		t.Fatal(err)
	}
	var walk func(v any)
	walk = func(v any) {
		switch v := v.(type) {
		case map[string]any:
			if ref, ok := v["$ref"].(string); ok {
				var at any = doc
				for _, part := range strings.Split(strings.TrimPrefix(ref, "#/"), "/") {
					m, _ := at.(map[string]any)
					at = m[part]
				}
				if at == nil {
					t.Errorf("reference to nothing: %s", ref)
				}
			}
			for _, inner := range v {
				walk(inner)
			}
		case []any:
			for _, inner := range v {
				walk(inner)
			}
		}
	}
	walk(doc)
	schemas := doc["components"].(map[string]any)["schemas"].(map[string]any)
	if p, ok := schemas["Problem"].(map[string]any); !ok || p["properties"].(map[string]any)["code"] == nil {
		t.Error("the problem document is not described")
	}
}
