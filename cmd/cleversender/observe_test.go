package main

import (
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// What is personal in the story below, and what opens doors, is nowhere in the
// server's log and metrics. Searched for in any case of letters.
var personalValues = []string{
	"lovelace", "private.example", "marylebone", "203.0.113.77", "secretagent",
}

// story runs everything that handles personal values through a server: an
// import with bad rows, a campaign with a recipient whom the mail server does
// not know, hits, requests of data subjects, and input that is refused. It
// returns what else must not be observed: tokens, and ids of people.
func story(t *testing.T, h *house, s *server, mail *sink) (secrets []string) {
	t.Helper()
	file := func(name, content string) string {
		path := filepath.Join(t.TempDir(), name)
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	mail.set(func() { mail.refuse = "gone.lovelace@private.example" })
	list := h.cli("list", "create", "News")
	h.cli("import", file("contacts.csv", "email,name,city\nada.lovelace@private.example,Ada Lovelace,Marylebone\n"+
		"gone.lovelace@private.example,Gone Lovelace,Marylebone\nada lovelace@@private.example,Bad Lovelace,Marylebone\n"),
		"--list", list, "--purpose", "mailing", "--purpose", "open_tracking", "--purpose", "click_tracking")
	template := h.cli("template", "create", "--name", "Letter", "--subject", "Dear {{ name }}", "--html",
		file("page.html", `<p>{{ email }} in {{ attributes.city }} <a href="https://example.org/">read</a> <a href="{{ unsubscribe_url }}">leave</a></p>`))
	mailing := h.cli("campaign", "draft", "--name", "May", "--list", list, "--template", template,
		"--from-email", "news@example.org", "--track-opens", "--track-clicks")
	h.cli("campaign", "start", mailing)
	if r := s.finished(mailing); r.Sent != 1 || r.Failed != 1 {
		t.Fatalf("%d sent, %d failed, want one each", r.Sent, r.Failed)
	}
	secrets = append(secrets, h.token)
	for kind, link := range links(t, mail.Messages(0, 1)[0].Data) {
		method := http.MethodGet
		if kind == "/u/" {
			method = http.MethodPost
		}
		visit(t, method, link)
		secrets = append(secrets, link[strings.LastIndex(link, "/")+1:])
	}
	person := h.cli("--json", "subscriber", "find", "ada.lovelace@private.example")
	secrets = append(secrets, uuid.FindString(person))

	// What is refused, and paths that nobody should ask for.
	h.exits(exitRefused, "subscriber", "add", "ada lovelace@@private.example")
	h.exits(exitRefused, "campaign", "draft", "--name", "Bad", "--from-email", "lovelace\r\nBcc: x@private.example")
	h.exits(exitNotFound, "subscriber", "find", "nobody.lovelace@private.example")
	h.exits(exitDenied, "--token", "cs_lovelace", "list", "ls")
	for _, path := range []string{
		"/people/ada.lovelace@private.example", "/u/lovelace", "/o/lovelace.gif", "/c/lovelace", "/nowhere/lovelace?email=ada.lovelace@private.example",
		"/api/v1/subscribers/ada.lovelace@private.example", "/api/v1/nowhere/lovelace",
	} {
		visit(t, http.MethodGet, s.url+path)
	}
	browse(t, s.url, h.token)

	h.cli("request", "access", "ada.lovelace@private.example", "--out", filepath.Join(t.TempDir(), "bundle.json"))
	h.cli("request", "erase", "ada.lovelace@private.example")
	return secrets
}

// browse does in the dashboard what leads nowhere, signed in or not.
func browse(t *testing.T, base, token string) {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	browser := &http.Client{Jar: jar}
	for _, ask := range []struct {
		path string
		form url.Values // nil: GET
	}{
		{"/login", url.Values{"token": {"cs_lovelace"}}},
		{"/login", url.Values{"token": {token}}},
		{"/people", url.Values{"email": {"nobody.lovelace@private.example"}}},
		{"/people", url.Values{"email": {"ada lovelace@@private.example"}}},
		{"/people/ada.lovelace@private.example", nil},
		{"/nowhere/lovelace?email=ada.lovelace@private.example", nil},
		{"/templates", url.Values{"name": {"Lovelace"}, "subject": {"{{ lovelace"}}},
		{"/campaigns/lovelace/start", url.Values{}},
	} {
		send := browser.Get
		if ask.form != nil {
			send = func(to string) (*http.Response, error) { return browser.PostForm(to, ask.form) }
		}
		resp, err := send(base + ask.path)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		if resp.StatusCode >= 500 {
			t.Errorf("%s answers %s", ask.path, resp.Status)
		}
	}
}

// links are a message's pixel, a tracked link and the way out.
func links(t *testing.T, message []byte) map[string]string {
	t.Helper()
	raw := strings.ReplaceAll(string(message), "=\r\n", "") // quoted-printable's soft line breaks
	found := map[string]string{}
	for _, kind := range []string{"/o/", "/c/", "/u/"} {
		found[kind] = regexp.MustCompile(`http://[^/\s]+` + kind + `[\w.-]+`).FindString(raw)
		if found[kind] == "" {
			t.Fatalf("no link %s in %s", kind, raw)
		}
	}
	return found
}

// visit asks as a reader behind a proxy does, and follows nothing.
func visit(t *testing.T, method, link string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, link, strings.NewReader(""))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("X-Forwarded-For", "203.0.113.77")
	req.Header.Set("User-Agent", "SecretAgent/7")
	resp, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	if resp.StatusCode >= 500 {
		t.Errorf("%s %s answers %s", method, link, resp.Status)
	}
}

var (
	uuid   = regexp.MustCompile(`[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}`)
	metric = regexp.MustCompile(`(?m)^(\w+)(?:\{(.*)\})? (\S+)$`)
	label  = regexp.MustCompile(`(\w+)="((?:[^"\\]|\\.)*)"`)
)

// Operators see how the server does, by metrics and by its log, and nothing of
// the people in it.
func TestObserved(t *testing.T) {
	t.Parallel()
	mail, h := newSink(t), newHouse(t)
	s := h.serve(mail.URL(), "--trusted-proxies", "127.0.0.1/32")
	secrets := append(story(t, h, s, mail), personalValues...)
	_, text := s.get("/metrics")

	got := map[string]float64{}
	for _, m := range metric.FindAllStringSubmatch(text, -1) {
		value, err := strconv.ParseFloat(m[3], 64)
		if err != nil {
			t.Fatalf("%s: %v", m[0], err)
		}
		got[m[1]] += value
		got[m[1]+"{"+m[2]+"}"] = value
		for _, l := range label.FindAllStringSubmatch(m[2], -1) {
			if strings.Contains(l[2], "@") || uuid.MatchString(l[2]) || strings.Contains(l[2], "127.0.0.1") {
				t.Errorf("a label holds an address or an id: %s", m[0])
			}
		}
	}
	for name, least := range map[string]float64{
		"cleversender_appends_total":                                             10,
		"cleversender_events_appended_total":                                     20,
		"cleversender_commit_seconds_count":                                      10,
		`cleversender_sends_total{result="accepted"}`:                            1,
		`cleversender_sends_total{result="failed"}`:                              1,
		`cleversender_tracking_hits_total{kind="open",result="recorded"}`:        1,
		`cleversender_tracking_hits_total{kind="click",result="recorded"}`:       1,
		`cleversender_tracking_hits_total{kind="unsubscribe",result="recorded"}`: 1,
		"cleversender_http_request_seconds_count":                                20,
		"cleversender_projection_position":                                       20,
	} {
		if got[name] < least {
			t.Errorf("%s is %v, want at least %v", name, got[name], least)
		}
	}
	if !strings.Contains(text, `cleversender_projection_lag_events{`) {
		t.Error("no projection says how far it lags")
	}
	if got["cleversender_events_appended_total"] < got["cleversender_appends_total"] || got["cleversender_appends_total"] < got["cleversender_commit_seconds_count"] {
		t.Errorf("%v events in %v appends in %v commits", got["cleversender_events_appended_total"], got["cleversender_appends_total"], got["cleversender_commit_seconds_count"])
	}
	for _, path := range []string{"/healthz", "/readyz"} {
		if status, body := s.get(path); status != http.StatusOK || body != "ok\n" {
			t.Errorf("%s answers %d %q", path, status, body)
		}
	}
	s.signal(syscall.SIGTERM)
	if code := s.wait(); code != exitOK || !strings.Contains(s.said(), `"msg":"stopped"`) {
		t.Errorf("the server exits with %d: %s", code, s.said())
	}
	for _, secret := range secrets {
		for what, seen := range map[string]string{"log": s.said(), "metrics": text} {
			if at := strings.Index(strings.ToLower(seen), strings.ToLower(secret)); at >= 0 {
				t.Errorf("the %s holds %q: …%s…", what, secret, seen[max(0, at-200):min(len(seen), at+100)])
			}
		}
	}
}
