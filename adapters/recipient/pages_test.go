package recipient_test

import (
	"bytes"
	"mime/multipart"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/cleversender/cleversender/adapters/tracking"
	"github.com/cleversender/cleversender/domain/consent"
	"github.com/cleversender/cleversender/domain/engagement"
	"github.com/cleversender/cleversender/domain/subscriber"
)

const oneClick = "List-Unsubscribe=One-Click"

// GET and HEAD show a page and change nothing.
func TestGetChangesNothing(t *testing.T) {
	w := newWorld(t)
	before := w.head()
	for _, path := range []string{
		"/u/" + w.token(tracking.Unsubscribe), "/preferences/" + w.token(tracking.Unsubscribe), "/confirm/" + w.token(tracking.Confirm), "/u/test",
	} {
		for _, method := range []string{"GET", "HEAD"} {
			if r := w.do(method, path+"?List-Unsubscribe=One-Click&mailing=yes", ""); r.StatusCode != 200 {
				t.Errorf("%s %.12s: %d", method, path, r.StatusCode)
			}
		}
	}
	if w.head() != before {
		t.Error("something was stored")
	}
}

// The unsubscribe link of a test says that it is one, by one click too.
func TestLinkOfATest(t *testing.T) {
	w := newWorld(t)
	before := w.head()
	for _, method := range []string{"GET", "POST"} {
		r := w.do(method, "/u/test", oneClick)
		if page := text(t, r); r.StatusCode != 200 || !strings.Contains(page, "This was a test") {
			t.Errorf("%s: %d %s", method, r.StatusCode, page)
		}
	}
	if w.head() != before {
		t.Error("something was stored")
	}
}

// Pages ask nothing of anybody else, may do nothing but send their form back,
// and show nothing of the person.
func TestPagesAreClosed(t *testing.T) {
	w := newWorld(t)
	for _, path := range []string{
		"/u/" + w.token(tracking.Unsubscribe), "/preferences/" + w.token(tracking.Unsubscribe),
		"/confirm/" + w.token(tracking.Confirm), "/u/forged", "/c/forged", "/u/test",
	} {
		r := w.do("GET", path, "")
		page := text(t, r)
		if csp := r.Header.Get("Content-Security-Policy"); !strings.Contains(csp, "default-src 'none'") || strings.Contains(csp, "unsafe") {
			t.Errorf("%.12s: policy %q", path, csp)
		}
		if r.Header.Get("Cache-Control") != "no-store" || len(r.Cookies()) > 0 {
			t.Errorf("%.12s: cached or with a cookie", path)
		}
		if outside := regexp.MustCompile(`(?i)(https?:)?//|src=|<script|@import|url\(`).FindString(page); outside != "" {
			t.Errorf("%.12s: the page reaches outside: %q", path, outside)
		}
		for _, personal := range []string{"ann@example.com", "Ann", w.person.String()} {
			if strings.Contains(page, personal) {
				t.Errorf("%.12s: the page says %q", path, personal)
			}
		}
		if !strings.Contains(page, `<html lang="en">`) || !strings.Contains(page, "<h1>") {
			t.Errorf("%.12s: no language or no heading", path)
		}
	}
	if page := text(t, w.do("GET", "/u/"+w.token(tracking.Unsubscribe), "")); !strings.Contains(page, "Garden &amp; Sons &lt;news&gt;") {
		t.Error("the list's name is missing or not escaped")
	}
}

// One click leaves the list with no cookie and no page before it, in both
// encodings that RFC 8058 allows; once more changes nothing.
func TestOneClick(t *testing.T) {
	var form bytes.Buffer
	parts := multipart.NewWriter(&form)
	_ = parts.WriteField("List-Unsubscribe", "One-Click")
	_ = parts.Close()
	for _, c := range []struct{ contentType, body string }{
		{"application/x-www-form-urlencoded", oneClick},
		{parts.FormDataContentType(), form.String()},
	} {
		w := newWorld(t)
		path, before := "/u/"+w.token(tracking.Unsubscribe), w.head()
		r := w.do("POST", path, c.body, "Content-Type", c.contentType)
		if r.StatusCode != 200 || len(r.Cookies()) > 0 {
			t.Errorf("%s: status %d, cookies %v", c.contentType, r.StatusCode, r.Cookies())
		}
		events := w.since(before)
		if len(events) != 2 {
			t.Fatalf("%s: %d events", c.contentType, len(events))
		}
		no, ok := events[0].Data.(consent.Revoked)
		if !ok || no.Method != consent.ByOneClick || no.List != w.list || no.Purpose != consent.Mailing || plain(no.IP) == "" {
			t.Errorf("%s: first %#v", c.contentType, events[0].Data)
		}
		if left, ok := events[1].Data.(engagement.Unsubscribed); !ok || left.Campaign != w.campaign || left.Ordinal != 3 {
			t.Errorf("%s: then %#v", c.contentType, events[1].Data)
		}
		if r := w.do("POST", path, c.body, "Content-Type", c.contentType); r.StatusCode != 200 || w.head() != events[1].Position {
			t.Errorf("%s: the second time: %d, head %d", c.contentType, r.StatusCode, w.head())
		}
	}
}

// The page's own button says so.
func TestButtonUnsubscribes(t *testing.T) {
	w := newWorld(t)
	before := w.head()
	w.do("POST", "/u/"+w.token(tracking.Unsubscribe), "")
	if e := w.since(before); len(e) != 2 || e[0].Data.(consent.Revoked).Method != consent.ByUnsubscribe {
		t.Errorf("events %v", e)
	}
}

// Whoever we do not hold, or no more, sees one and the same page.
func TestErasedAndUnknownLookAlike(t *testing.T) {
	w := newWorld(t)
	unknown := func(k *tracking.Token) { k.Person = newID() }
	other := func(k *tracking.Token) { k.Account = newID() }
	strangers := []string{w.token(tracking.Unsubscribe, unknown), w.token(tracking.Unsubscribe, other), w.token(tracking.Unsubscribe)}
	want := text(t, w.do("GET", "/u/"+strangers[0], ""))
	if got := text(t, w.do("GET", "/u/"+strangers[1], "")); got != want {
		t.Error("a person of another account is known")
	}
	w.erase()
	before := w.head()
	for _, token := range strangers {
		for _, method := range []string{"GET", "POST"} {
			for _, prefix := range []string{"/u/", "/preferences/"} {
				if r := w.do(method, prefix+token, oneClick); r.StatusCode != 200 || text(t, r) != want {
					t.Errorf("%s %s: another answer (%d)", method, prefix, r.StatusCode)
				}
			}
		}
	}
	if w.head() != before {
		t.Error("something was stored")
	}
}

// An expired link says so, a forged one that it does not work; neither acts.
func TestBadTokens(t *testing.T) {
	w := newWorld(t)
	before := w.head()
	old := w.token(tracking.Confirm, func(k *tracking.Token) { k.Expires = tracking.Day(now) - 1 })
	for path, want := range map[string]int{
		"/confirm/" + old: http.StatusGone, "/confirm/" + w.token(tracking.Unsubscribe): http.StatusNotFound,
		"/u/" + w.token(tracking.Confirm): http.StatusNotFound, "/preferences/zzz": http.StatusNotFound,
	} {
		for _, method := range []string{"GET", "POST"} {
			if r := w.do(method, path, oneClick); r.StatusCode != want {
				t.Errorf("%s %.14s: %d, want %d", method, path, r.StatusCode, want)
			}
		}
	}
	if w.head() != before {
		t.Error("something was stored")
	}
}

// A body that is too large changes nothing.
func TestOversizeForm(t *testing.T) {
	w := newWorld(t)
	before := w.head()
	for _, path := range []string{"/u/", "/preferences/"} {
		w.do("POST", path+w.token(tracking.Unsubscribe), "a="+strings.Repeat("b", 1<<20))
	}
	if w.head() != before {
		t.Error("something was stored")
	}
}

// The button of the confirm page proves the address; an old link does not
// bring back who left.
func TestConfirm(t *testing.T) {
	w := newWorld(t)
	path := "/confirm/" + w.token(tracking.Confirm)
	if r := w.do("POST", path, ""); r.StatusCode != 200 || w.consent(consent.Mailing) != consent.StatusConfirmed {
		t.Fatalf("%d, consent %q", r.StatusCode, w.consent(consent.Mailing))
	}
	before := w.head()
	w.do("POST", path, "")
	if w.head() != before {
		t.Error("the second time something was stored")
	}
	w.do("POST", "/u/"+w.token(tracking.Unsubscribe), oneClick)
	w.do("POST", path, "")
	if got := w.consent(consent.Mailing); got != consent.StatusRevoked {
		t.Errorf("after leaving, the old link made it %q", got)
	}
}

// The preferences record what changed, each with the wording that was shown,
// and nothing of what stayed.
func TestPreferences(t *testing.T) {
	w := newWorld(t)
	path, before := "/preferences/"+w.token(tracking.Unsubscribe), w.head()
	if page := text(t, w.do("GET", path, "")); strings.Count(page, " checked") != 1 {
		t.Error("mailing alone should be checked")
	}
	page := text(t, w.do("POST", path, "mailing=yes&open_tracking=yes"))
	if strings.Count(page, " checked") != 2 || !strings.Contains(page, "Your choice is saved") {
		t.Error("the page does not show what was saved")
	}
	events := w.since(before)
	if len(events) != 1 {
		t.Fatalf("%d events", len(events))
	}
	yes, ok := events[0].Data.(consent.Given)
	if !ok || yes.Purpose != consent.OpenTracking || yes.Method != consent.ByForm || len(yes.Wording) != 64 || !yes.List.IsZero() {
		t.Errorf("recorded %#v", events[0].Data)
	}
	w.do("POST", path, "")
	if w.consent(consent.Mailing) != consent.StatusRevoked || w.consent(consent.OpenTracking) != consent.StatusRevoked {
		t.Error("unchecked boxes are not a no")
	}
	w.do("POST", path, "mailing=yes")
	if got := w.consent(consent.Mailing); got != consent.StatusConfirmed {
		t.Errorf("coming back by a link in their own mail made it %q", got)
	}
}

// Whoever objects on the page ends all marketing, other lists' too, and comes
// back to the one that they then agree to.
func TestObjectOnThePage(t *testing.T) {
	w := newWorld(t)
	path, before := "/preferences/"+w.token(tracking.Unsubscribe), w.head()
	if page := text(t, w.do("GET", path, "")); !strings.Contains(page, "Object to all marketing") {
		t.Error("nobody is told that they can object")
	}
	w.do("POST", path, "mailing=yes&open_tracking=yes&policy_notices=yes")
	page := text(t, w.do("POST", path, "object=yes"))
	if strings.Count(page, " checked") != 1 || !strings.Contains(page, "takes effect at once") {
		t.Errorf("after the objection: %s", page)
	}
	var objected subscriber.Objected
	for _, e := range w.since(before) {
		if o, ok := e.Data.(subscriber.Objected); ok {
			objected = o
		}
	}
	if objected.Method != consent.ByUnsubscribe || objected.IP.IsEmpty() {
		t.Errorf("recorded %#v", objected)
	}
	for purpose, want := range map[consent.Purpose]consent.Status{
		consent.Mailing: consent.StatusRevoked, consent.OpenTracking: consent.StatusRevoked, consent.PolicyNotices: consent.StatusGiven,
	} {
		if got := w.consent(purpose); got != want {
			t.Errorf("%s: %q", purpose, got)
		}
	}
	if page := text(t, w.do("GET", path, "")); strings.Count(page, " checked") != 1 {
		t.Error("the page shows what has ended")
	}
	w.do("POST", path, "mailing=yes&policy_notices=yes")
	if got := w.consent(consent.Mailing); got != consent.StatusConfirmed {
		t.Errorf("coming back made it %q", got)
	}
}

// Nobody is put on a list twice by the preferences.
func TestPreferencesKeepMembership(t *testing.T) {
	w := newWorld(t)
	path, before := "/preferences/"+w.token(tracking.Unsubscribe), w.head()
	w.do("POST", path, "")
	w.do("POST", path, "mailing=yes")
	for _, e := range w.since(before) {
		if _, again := e.Data.(subscriber.Joined); again {
			t.Error("joined again")
		}
	}
}

// Nothing but what is declared is there, by any method.
func TestNoOtherRoutes(t *testing.T) {
	w := newWorld(t)
	for _, c := range []struct {
		method, path string
		want         int
	}{
		{"GET", "/", 404}, {"GET", "/u/", 404}, {"PUT", "/u/x", 405}, {"DELETE", "/preferences/x", 405}, {"POST", "/o/x.gif", 405}, {"POST", "/c/x", 405},
	} {
		if r := w.do(c.method, c.path, ""); r.StatusCode != c.want {
			t.Errorf("%s %s: %d, want %d", c.method, c.path, r.StatusCode, c.want)
		}
	}
}
