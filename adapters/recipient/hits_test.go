package recipient_test

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"

	"github.com/cleversender/cleversender/adapters/eventlog"
	"github.com/cleversender/cleversender/adapters/recipient"
	"github.com/cleversender/cleversender/adapters/tracking"
	"github.com/cleversender/cleversender/domain"
	"github.com/cleversender/cleversender/domain/engagement"
	"github.com/cleversender/cleversender/domain/personal"
)

// An open is in the log when the picture arrives, with IP and client.
func TestOpenIsRecorded(t *testing.T) {
	w := newWorld(t)
	before := w.head()
	r := w.do("GET", "/o/"+w.token(tracking.Open)+".gif", "")
	if r.StatusCode != 200 || r.Header.Get("Content-Type") != "image/gif" || r.Header.Get("Cache-Control") != "no-store" {
		t.Fatalf("status %d, headers %v", r.StatusCode, r.Header)
	}
	if got := text(t, r); len(got) != 43 || !strings.HasPrefix(got, "GIF89a") {
		t.Errorf("the picture is %d bytes", len(got))
	}
	events := w.since(before)
	if len(events) != 1 {
		t.Fatalf("%d events", len(events))
	}
	e, ok := events[0].Data.(engagement.Opened)
	if !ok || e.Campaign != w.campaign || e.Ordinal != 3 || e.Machine != engagement.MaybeHuman ||
		plain(e.IP) != "198.51.100.7" || !strings.Contains(plain(e.Client), "Thunderbird") {
		t.Errorf("recorded %#v", e)
	}
	if m := events[0].Meta; m.Account != w.account || m.Subject != w.person || m.Actor != w.person {
		t.Errorf("envelope %+v", m)
	}
}

// Without consent nothing is stored, and nobody can tell from the reply.
func TestNoConsentStoresNothing(t *testing.T) {
	w := newWorld(t)
	open, click := "/o/"+w.token(tracking.Open)+".gif", "/c/"+w.token(tracking.Click)
	with := text(t, w.do("GET", open, ""))
	before := w.head()
	w.allowed = recipient.Permission{}
	without := w.do("GET", open, "")
	if without.StatusCode != 200 || text(t, without) != with {
		t.Error("the picture differs")
	}
	if r := w.do("GET", click, ""); r.StatusCode != http.StatusFound || r.Header.Get("Location") != "https://example.com/spring?a=1&b=2" {
		t.Errorf("click: %d to %q", r.StatusCode, r.Header.Get("Location"))
	}
	if w.head() != before {
		t.Error("something was stored")
	}
}

// Consent counts as it is when the hit is written, not as it was when the
// request came.
func TestRevokedOnTheWay(t *testing.T) {
	w := newWorld(t)
	before := w.head()
	w.asked = func(who recipient.Who) {
		if who != (recipient.Who{Account: w.account, Person: w.person, Mailed: w.started}) {
			t.Errorf("the consent of %v is asked for", who)
		}
		w.allowed = recipient.Permission{Clicks: true}
	}
	w.do("GET", "/o/"+w.token(tracking.Open)+".gif", "")
	if w.head() != before || w.hits("open", "no_consent") != 1 {
		t.Error("an open was stored after the consent was gone")
	}
	if w.do("GET", "/c/"+w.token(tracking.Click), ""); len(w.since(before)) != 1 {
		t.Error("consent to click tracking went with that to open tracking")
	}
}

// Where consent cannot be read nothing is stored, and the reader gets there.
func TestConsentUnreadable(t *testing.T) {
	w := newWorld(t)
	before := w.head()
	w.consentFault = errDisk
	if r := w.do("GET", "/c/"+w.token(tracking.Click), ""); r.StatusCode != http.StatusFound {
		t.Errorf("status %d", r.StatusCode)
	}
	if w.head() != before || w.hits("click", "fault") != 1 {
		t.Error("a click was stored, or the fault was not counted")
	}
}

// A tracked link leads to the frozen target of its index.
func TestClickLeadsToFrozenTarget(t *testing.T) {
	w := newWorld(t)
	before := w.head()
	r := w.do("GET", "/c/"+w.token(tracking.Click), "")
	if r.StatusCode != http.StatusFound || r.Header.Get("Location") != "https://example.com/spring?a=1&b=2" {
		t.Fatalf("%d to %q", r.StatusCode, r.Header.Get("Location"))
	}
	if r.Header.Get("Referrer-Policy") != "no-referrer" {
		t.Error("the target learns the token from the referrer")
	}
	events := w.since(before)
	if len(events) != 1 || events[0].Type != "link.clicked" || events[0].Data.(engagement.Clicked).Link != 0 {
		t.Errorf("events %v", events)
	}
}

// A target that is not ASCII is encoded on the way.
func TestClickLeadsToUnicode(t *testing.T) {
	w := newWorld(t)
	r := w.do("GET", "/c/"+w.token(tracking.Click, func(k *tracking.Token) { k.Link = 3 }), "")
	if got, want := r.Header.Get("Location"), "https://example.com/%C3%A9?%C3%BC=%C3%9F"; r.StatusCode != http.StatusFound || got != want {
		t.Errorf("%d to %q, want %q", r.StatusCode, got, want)
	}
}

// Whoever knows the route without a mux gets what the mux gives.
func TestHitsWithoutMux(t *testing.T) {
	w := newWorld(t)
	hits, before := w.handler.Hits(), w.head()
	for pattern, token := range map[string]string{
		"GET /o/{token}": w.token(tracking.Open) + ".gif", "GET /c/{token}": w.token(tracking.Click),
	} {
		want := w.do("GET", strings.TrimSuffix(pattern[4:], "{token}")+token, "")
		r, rec := httptest.NewRequest("GET", "/", nil), httptest.NewRecorder()
		r.SetPathValue("token", token)
		hits[pattern].ServeHTTP(rec, r)
		got := rec.Result()
		if diff := cmp.Diff(want.Header, got.Header); got.StatusCode != want.StatusCode || text(t, got) != text(t, want) || diff != "" {
			t.Errorf("%s: status %d, %s", pattern, got.StatusCode, diff)
		}
	}
	if len(hits) != 2 || len(w.since(before)) != 4 {
		t.Errorf("%d routes, %d events", len(hits), len(w.since(before)))
	}
}

// No link leads anywhere but to a web page that the account's campaign was frozen with.
func TestNoOpenRedirect(t *testing.T) {
	w := newWorld(t)
	for name, token := range map[string]string{
		"no such link":      w.token(tracking.Click, func(k *tracking.Token) { k.Link = 5 }),
		"nobody's host":     w.token(tracking.Click, func(k *tracking.Token) { k.Link = 4 }),
		"another scheme":    w.token(tracking.Click, func(k *tracking.Token) { k.Link = 2 }),
		"not a web address": w.token(tracking.Click, func(k *tracking.Token) { k.Link = 1 }),
		"other account":     w.token(tracking.Click, func(k *tracking.Token) { k.Account = newID() }),
		"no such campaign":  w.token(tracking.Click, func(k *tracking.Token) { k.Campaign = newID() }),
		"other kind":        w.token(tracking.Open),
		"forged":            "AQEAAAAA",
	} {
		before := w.head()
		r := w.do("GET", "/c/"+token+"?url=https://evil.example", "")
		if r.StatusCode != http.StatusNotFound || r.Header.Get("Location") != "" {
			t.Errorf("%s: %d to %q", name, r.StatusCode, r.Header.Get("Location"))
		}
		if w.head() != before {
			t.Errorf("%s: something was stored", name)
		}
	}
}

// A forged token gets the same picture and leaves no event.
func TestForgedPixel(t *testing.T) {
	w := newWorld(t)
	good := w.token(tracking.Open)
	want := text(t, w.do("GET", "/o/"+good+".gif", ""))
	before := w.head()
	flipped := []byte(good)
	flipped[len(flipped)/2] ^= 1
	for _, token := range []string{"x", string(flipped), w.token(tracking.Unsubscribe), strings.Repeat("A", 5000)} {
		r := w.do("GET", "/o/"+token+".gif", "")
		if r.StatusCode != 200 || text(t, r) != want {
			t.Errorf("token %.20q gets another answer", token)
		}
	}
	if w.head() != before {
		t.Error("something was stored")
	}
	if got := w.hits("open", "forged"); got != 4 {
		t.Errorf("%v forged opens counted", got)
	}
}

// HEAD is answered without a body and recorded as a machine's.
func TestHeadIsAMachine(t *testing.T) {
	w := newWorld(t)
	before := w.head()
	if r := w.do("HEAD", "/o/"+w.token(tracking.Open)+".gif", ""); r.StatusCode != 200 {
		t.Fatal(r.StatusCode)
	}
	if e := w.since(before); len(e) != 1 || e[0].Data.(engagement.Opened).Machine != engagement.HeadProbe || e[0].Data.(engagement.Opened).Signal != "head" {
		t.Errorf("events %v", e)
	}
}

// Hits that arrive together are all stored, whichever campaign they are of.
func TestConcurrentHits(t *testing.T) {
	w := newWorld(t)
	before := w.head()
	const each = 40
	var wg sync.WaitGroup
	for range 3 {
		other := newID()
		for range each {
			wg.Go(func() {
				w.do("GET", "/o/"+w.token(tracking.Open, func(k *tracking.Token) { k.Campaign = other })+".gif", "")
			})
		}
	}
	wg.Wait()
	if got := len(w.since(before)); got != 3*each {
		t.Errorf("%d hits stored of %d", got, 3*each)
	}
}

var errDisk = errors.New("no space left on device")

// A write that fails, done or not done, loses and doubles nothing when the
// second try goes through; the reader sees no difference.
func TestHitSurvivesOneFault(t *testing.T) {
	for name, done := range map[string]bool{"failed and not done": false, "failed but done": true} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			before, calls := w.head(), 0
			w.log.fail = func(write func() ([]eventlog.Result, []error), n int) ([]eventlog.Result, []error) {
				if calls++; calls > 1 {
					return write()
				}
				if done {
					write()
				}
				return make([]eventlog.Result, n), []error{errDisk}
			}
			for range 2 {
				w.do("GET", "/o/"+w.token(tracking.Open)+".gif", "")
			}
			if got := len(w.since(before)); got != 2 {
				t.Errorf("%d events of 2 hits", got)
			}
		})
	}
}

// When the disk stays away the reader still gets there, the fault is logged
// without anything of theirs, and later hits are stored again.
func TestHitWithoutDisk(t *testing.T) {
	w := newWorld(t)
	before := w.head()
	w.log.fail = func(_ func() ([]eventlog.Result, []error), n int) ([]eventlog.Result, []error) {
		return make([]eventlog.Result, n), []error{errDisk}
	}
	token := w.token(tracking.Click)
	if r := w.do("GET", "/c/"+token, ""); r.StatusCode != http.StatusFound {
		t.Errorf("status %d", r.StatusCode)
	}
	logged := w.logged.String()
	if !strings.Contains(logged, "no space left") {
		t.Errorf("the fault is not logged: %q", logged)
	}
	for _, theirs := range []string{"198.51.100.7", "Thunderbird", token, w.person.String()} {
		if strings.Contains(logged, theirs) {
			t.Errorf("the log says %q", theirs)
		}
	}
	w.log.mu.Lock()
	w.log.fail = nil
	w.log.mu.Unlock()
	w.do("GET", "/c/"+token, "")
	if got := len(w.since(before)); got != 1 {
		t.Errorf("%d events after the disk came back", got)
	}
}

// A stream whose end is not known is left behind: later hits are stored.
func TestHitAfterTwoFaultsThatWereDone(t *testing.T) {
	w := newWorld(t)
	before, calls := w.head(), 0
	w.log.fail = func(write func() ([]eventlog.Result, []error), n int) ([]eventlog.Result, []error) {
		results, errs := write()
		if calls++; calls <= 2 {
			return results, []error{errDisk}
		}
		return results, errs
	}
	for range 2 {
		w.do("GET", "/o/"+w.token(tracking.Open)+".gif", "")
	}
	if got := len(w.since(before)); got != 2 || w.hits("open", "recorded") != 1 || w.hits("open", "fault") != 1 {
		t.Errorf("%d events of 2 hits, %v known to be recorded", got, w.hits("open", "recorded"))
	}
}

// Whose key is at hand is sealed for without asking for it while others wait.
func TestKeysAtHandAreNotAskedFor(t *testing.T) {
	w := newWorld(t)
	for range 3 {
		w.do("GET", "/o/"+w.token(tracking.Open)+".gif", "")
	}
	if behaviour := w.keys.asked - 1; behaviour != 1 { // that of identity was asked for by who added them
		t.Errorf("asked for it %d times", behaviour)
	}
}

// Hits that were sealed for a stream which is left behind before their turn are
// stored all the same, each once.
func TestSealedForAStreamThatIsLeft(t *testing.T) { synctest.Test(t, sealedForAStreamThatIsLeft) }

func sealedForAStreamThatIsLeft(t *testing.T) {
	w := newWorld(t)
	w.do("GET", "/o/"+w.token(tracking.Open)+".gif", "") // from here on the key is at hand
	before, calls := w.head(), 0
	held := make(chan struct{})
	w.log.fail = func(write func() ([]eventlog.Result, []error), n int) ([]eventlog.Result, []error) {
		if calls++; calls > 2 {
			return write()
		}
		<-held // until the others have queued up behind the first
		return make([]eventlog.Result, n), []error{errDisk}
	}
	var wg sync.WaitGroup
	for range 6 {
		wg.Go(func() { w.do("GET", "/o/"+w.token(tracking.Open)+".gif", "") })
		synctest.Wait()
	}
	close(held)
	wg.Wait()
	events := w.since(before)
	if len(events) != 5 || w.hits("open", "recorded") != 6 || w.hits("open", "fault") != 1 {
		t.Errorf("%d events of 5 hits, %v recorded", len(events), w.hits("open", "recorded"))
	}
	for _, e := range events {
		if e.Stream != events[0].Stream {
			t.Error("in two streams")
		}
		if ip, ok := e.Data.(engagement.Opened).IP.Reveal(); !ok || ip != "198.51.100.7" {
			t.Errorf("the address is %q, %v", ip, ok)
		}
	}
}

// Somebody who is erased while their hit is on its way does not take the hits
// of others with them.
func TestErasedInTheGroup(t *testing.T) { synctest.Test(t, erasedInTheGroup) }

func erasedInTheGroup(t *testing.T) {
	w := newWorld(t)
	gone := newID()
	w.keys.by[personal.KeyRef{Subject: gone, Class: personal.Behaviour}] = nil
	before := w.head()
	held := make(chan struct{})
	w.log.fail = func(write func() ([]eventlog.Result, []error), n int) ([]eventlog.Result, []error) {
		<-held // until the others have queued up behind the first
		return write()
	}
	var wg sync.WaitGroup
	hit := func(person domain.ID) {
		wg.Go(func() {
			w.do("GET", "/o/"+w.token(tracking.Open, func(k *tracking.Token) { k.Person = person })+".gif", "")
		})
	}
	for range 5 {
		hit(newID())
		hit(gone)
	}
	synctest.Wait() // all have queued up
	close(held)
	wg.Wait()
	if got := len(w.since(before)); got != 5 {
		t.Errorf("%d hits stored of 5", got)
	}
}

// However many hits come together, a write has no more than 500, and all are stored.
func TestManyHitsAtOnce(t *testing.T) { synctest.Test(t, manyHitsAtOnce) }

func manyHitsAtOnce(t *testing.T) {
	w := newWorld(t)
	before, held, asked, most := w.head(), make(chan struct{}), 0, 0
	w.asked = func(recipient.Who) { asked++ }
	w.log.fail = func(write func() ([]eventlog.Result, []error), _ int) ([]eventlog.Result, []error) {
		<-held
		most, asked = max(most, asked), 0
		return write()
	}
	token := "/o/" + w.token(tracking.Open) + ".gif"
	var wg sync.WaitGroup
	for range 1700 {
		wg.Go(func() { w.do("GET", token, "") })
	}
	synctest.Wait() // behind the first
	close(held)
	wg.Wait()
	if got := len(w.since(before)); got != 1700 || most != 500 {
		t.Errorf("%d hits stored, at most %d together", got, most)
	}
}

// After Close nothing is taken any more, and what was taken is stored.
func TestCloseStopsTheRecorder(t *testing.T) {
	w := newWorld(t)
	w.handler.Close()
	before := w.head()
	if r := w.do("GET", "/o/"+w.token(tracking.Open)+".gif", ""); r.StatusCode != 200 {
		t.Error(r.StatusCode)
	}
	if w.head() != before {
		t.Error("stored after Close")
	}
}

// Whatever the path, nothing panics, nothing redirects and nothing is stored
// but for a token of ours.
func FuzzTokenPath(f *testing.F) {
	for _, s := range []string{"", "x", "AQE", "..", "%2e%2e", "a/b", strings.Repeat("A", 300), "\x00", "é"} {
		f.Add(s)
	}
	var w *world
	f.Fuzz(func(t *testing.T, token string) {
		if w == nil {
			w = newWorld(t)
			w.handler.Close()
		}
		for _, prefix := range []string{"/o/", "/c/", "/u/", "/confirm/", "/preferences/"} {
			for _, method := range []string{"GET", "POST"} {
				req, err := http.NewRequestWithContext(context.Background(), method, "http://x", bytes.NewReader([]byte("List-Unsubscribe=One-Click")))
				if err != nil {
					t.Fatal(err)
				}
				req.URL.Path, req.Host = prefix+token, "x"
				rec := &discard{header: http.Header{}}
				w.handler.ServeHTTP(rec, req)
				if to := rec.header.Get("Location"); to != "" && !strings.HasPrefix(to, "/") {
					t.Errorf("%s %q redirects to %q", method, prefix+token, to)
				}
			}
		}
	})
}

type discard struct{ header http.Header }

func (d *discard) Header() http.Header         { return d.header }
func (d *discard) Write(b []byte) (int, error) { return len(b), nil }
func (d *discard) WriteHeader(int)             {}
