package web_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/cleversender/cleversender/commands"
	"github.com/cleversender/cleversender/projections/tokens"
)

// Nobody sees a page without a session, and none is given for a wrong token.
func TestSignIn(t *testing.T) {
	w := newWorld(t)
	w.has(w.get("/", 200), "Own", "Sign out")
	w.browser = w.newBrowser()
	for _, path := range []string{"/", "/people", "/lists", "/mailbox", "/no/such/page", "/campaigns/new"} {
		if p := w.get(path, 200); p.at.Path != "/login" {
			t.Errorf("%s led to %s", path, p.at)
		}
	}
	for _, token := range []string{"", "cs_wrong", hashOf("cs_own")} {
		w.has(w.post("/login", 401, "token", token), "no token that holds")
	}
	w.has(w.post("/login", 200, "token", " cs_own\n"), "Sign out")
	w.post("/logout", 200)
	if p := w.get("/", 200); p.at.Path != "/login" {
		t.Errorf("after signing out: %s", p.at)
	}
}

// A session ends with its time, and with its token.
func TestSessionEnds(t *testing.T) {
	w := newWorld(t)
	w.now = w.now.Add(13 * time.Hour)
	if p := w.get("/", 200); p.at.Path != "/login" {
		t.Errorf("after 13 hours: %s", p.at)
	}
	w.post("/login", 200, "token", "cs_own")
	token, _, err := tokens.ByHash(t.Context(), w.deps().Models.Reader(tokens.Projection.Name), hashOf("cs_own"))
	if err != nil {
		t.Fatal(err)
	}
	run(w, w.account, commands.RevokeToken{AccountID: w.account, Token: token.ID})
	if p := w.get("/", 200); p.at.Path != "/login" {
		t.Errorf("after the token was revoked: %s", p.at)
	}
}

// The cookie is out of reach of scripts and other sites; a post from another
// site is refused.
func TestOtherSites(t *testing.T) {
	w := newWorld(t)
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	answer, err := client.PostForm(w.site.URL+"/login", map[string][]string{"token": {"cs_own"}})
	if err != nil {
		t.Fatal(err)
	}
	_ = answer.Body.Close()
	cookie := answer.Header.Get("Set-Cookie")
	if !strings.Contains(cookie, "HttpOnly") || !strings.Contains(cookie, "SameSite=Lax") || strings.Contains(cookie, "cs_own") {
		t.Errorf("cookie %s", cookie)
	}
	r, _ := http.NewRequest(http.MethodPost, w.site.URL+"/lists", strings.NewReader("name=x"))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Sec-Fetch-Site", "cross-site")
	w.want(w.do(r), http.StatusForbidden)
}

// No page asks anybody else for anything, or allows it.
func TestAsksNobodyElse(t *testing.T) {
	w := newWorld(t)
	for _, path := range []string{"/", "/login", "/templates", "/templates/new", "/lists", "/people", "/imports", "/mailbox", "/campaigns/new"} {
		p := w.get(path, 200)
		csp := p.header.Get("Content-Security-Policy")
		if !strings.HasPrefix(csp, "default-src 'none'; ") || strings.Contains(csp, "unsafe") || strings.Contains(csp, "http") {
			t.Errorf("%s: policy %s", path, csp)
		}
		for _, outside := range []string{`src="http`, `href="http`, `src="//`, "@import", "style=\"", "onclick"} {
			if body := strings.ReplaceAll(p.body, "&lt;", ""); strings.Contains(body, outside) {
				t.Errorf("%s holds %s", path, outside)
			}
		}
	}
	for _, file := range []string{"style.css", "live.js", "icon.svg"} {
		w.lacks(w.get("/assets/"+file, 200), "url(", "//cdn")
	}
	w.get("/assets/none", 404)
	w.lacks(w.get("/assets/..%2Fpages%2Flogin.html", 400), "{{")
}
