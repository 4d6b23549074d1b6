package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/cleversender/cleversender/adapters/api"
	"github.com/cleversender/cleversender/adapters/recipient"
	"github.com/cleversender/cleversender/cmd/cleversender/client"
	"github.com/cleversender/cleversender/cmd/cleversender/engine"
	"github.com/cleversender/cleversender/domain/consent"
)

// desktop is a whole installation with somebody in front of it.
type desktop struct {
	*tab
	engine *engine.Engine
	token  string
	mail   *sink
	open   chan struct{} // closed: mail after the first five messages gets through
	gate   func()        // closes open
}

func newDesktop(t *testing.T) *desktop {
	t.Helper()
	d := &desktop{mail: newSink(t), open: make(chan struct{})}
	var came atomic.Int32
	d.mail.set(func() {
		d.mail.before = func() {
			if came.Add(1) > 5 {
				<-d.open
			}
		}
	})
	var once atomic.Bool
	d.gate = func() {
		if !once.Swap(true) {
			close(d.open)
		}
	}
	t.Cleanup(d.gate)
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	o := engine.Options{Dir: filepath.Join(t.TempDir(), "data"), BaseURL: "http://" + ln.Addr().String(), SMTP: []string{d.mail.URL()}}
	if _, d.token, err = engine.Init(t.Context(), o, "Meadow Books"); err != nil {
		t.Fatal(err)
	}
	if d.engine, err = engine.Open(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- d.engine.Serve(ctx, ln, engine.Web{Dashboard: true, Mailbox: d.mail.Catcher}) }()
	t.Cleanup(func() {
		d.gate()
		stop()
		if err := <-ended; err != nil {
			t.Errorf("serve: %v", err)
		}
	})
	d.tab = openTab(t, o.BaseURL)
	return d
}

// Somebody does the main job in a real browser, from signing in to erasing a
// person; every page on the way holds to what tab and audit.js ask for.
func TestDashboard(t *testing.T) {
	t.Parallel()
	d := newDesktop(t)
	for _, step := range []struct {
		name string
		do   func(*testing.T)
	}{
		{"sign in", d.signIn},
		{"list and import", d.importPeople},
		{"template", d.writeTemplate},
		{"campaign", d.draftCampaign},
		{"send", d.send},
		{"report", d.readReport},
		{"mailbox", d.readMail},
		{"schedule and cancel", d.cancel},
		{"export", d.export},
		{"erase", d.erase},
		{"unsubscribe", d.unsubscribe},
		{"confirm", d.confirm},
		{"sign out", d.signOut},
	} {
		if !t.Run(step.name, step.do) {
			return // the next stands on it
		}
	}
}

func (d *desktop) signIn(t *testing.T) {
	d.tab.open(t, "/campaigns/new")
	d.check(t, "login")
	d.fill(t, "token", "cs_no-such-token")
	d.refused(t, http.StatusUnauthorized, d.click("Sign in"))
	d.check(t, "login-refused")
	d.fill(t, "token", d.token)
	d.press(t, "Sign in")
	if got := d.text(t, "header"); !strings.Contains(got, "Meadow Books") {
		t.Errorf("signed in as %q", got)
	}
	d.do(t, "keyboard", chromedp.KeyEvent(kb.Tab))
	if got := eval[string](t, d.tab, "document.activeElement.innerText"); got != "Skip to the content" {
		t.Errorf("the first stop of the keyboard is %q", got)
	}
	d.check(t, "campaigns-none")
}

const people = 12 // of the file

func (d *desktop) importPeople(t *testing.T) {
	d.press(t, "Lists")
	d.check(t, "lists-none")
	d.fill(t, "name", "Readers")
	d.press(t, "Make the list")
	d.check(t, "list-empty")

	file := "email,name,city\nwilhelmina.quill@example.org,Wilhelmina Quill,Hay-on-Wye\nnot an address,Nobody,\n"
	for i := range people - 1 {
		file += fmt.Sprintf("reader%d@example.org,Reader %d,Łódź\n", i, i)
	}
	path := filepath.Join(t.TempDir(), "readers.csv")
	if err := os.WriteFile(path, []byte(file), 0o600); err != nil {
		t.Fatal(err)
	}
	d.press(t, "Imports")
	d.check(t, "imports-none")
	d.choose(t, "list", "Readers")
	for _, purpose := range []string{"Mail from a list", "Tracking of opens", "Tracking of clicks"} {
		d.do(t, purpose, d.click(purpose))
	}
	d.fill(t, "source", "shop")
	d.do(t, "file", chromedp.SetUploadFiles(chromedp.ID("file"), []string{path}))
	d.press(t, "Import")
	d.until(t, ".status", "finished")
	for what, want := range map[string]string{"Added": "12", "Bad rows": "1"} {
		if got := d.figure(t, what); got != want {
			t.Errorf("%s: %s, want %s", what, got, want)
		}
	}
	if got := d.text(t, "tbody"); !strings.HasPrefix(got, "3 The address holds a space or another character that no address has. address_has_controls") {
		t.Errorf("rows left out: %q", got)
	}
	d.check(t, "import")
	d.press(t, "Imports")
	d.check(t, "imports")
	d.press(t, "Lists")
	d.check(t, "lists")
	d.press(t, "Readers")
	d.check(t, "list")
}

// figure is the number under a name.
func (d *desktop) figure(t *testing.T, name string) string {
	t.Helper()
	return strings.TrimSpace(eval[string](t, d.tab, fmt.Sprintf(`(() => {
		const d = [...document.querySelectorAll(".figures div")].find((d) => d.querySelector("dt").textContent === %q)?.querySelector("dd");
		return (d?.querySelector("span") ?? d)?.innerText ?? "none" })()`, name)))
}

func (d *desktop) writeTemplate(t *testing.T) {
	d.press(t, "Templates")
	d.check(t, "templates-none")
	d.press(t, "New template")
	d.fill(t, "name", "May letter")
	for label, want := range map[string]string{"Preview text": "Subject: News for Zoë Ångström", "Preview HTML": "Hello Zoë Ångström"} {
		d.do(t, label, d.click(label))
		d.untilFramed(t, want)
	}
	d.check(t, "template-preview")
	d.press(t, "Save")
	if got := d.text(t, "[role=status]"); got != "Saved." {
		t.Errorf("after saving it says %q", got)
	}
	d.untilFramed(t, "Hello Zoë Ångström") // without a click
	d.check(t, "template")
	d.press(t, "Templates")
	d.check(t, "templates")
}

func (d *desktop) draftCampaign(t *testing.T) {
	d.press(t, "Campaigns")
	d.press(t, "New campaign")
	d.check(t, "campaign-new")
	d.fill(t, "name", "May news")
	d.do(t, "list", d.click("Readers 12 of 12 may get mail"))
	d.choose(t, "template", "May letter")
	d.fill(t, "from_name", "Meadow Books")
	d.fill(t, "from_email", "letter@books.example")
	d.do(t, "tracking", d.click("Count opens"), d.click("Count clicks"))
	d.press(t, "Save draft")
	if got := d.text(t, ".status"); got != "Draft" {
		t.Errorf("the campaign is %q", got)
	}
	d.check(t, "campaign-draft")
	d.press(t, "Edit")
	d.check(t, "campaign-edit")
	d.press(t, "Save draft")
}

// send starts the campaign, and watches it without touching anything.
func (d *desktop) send(t *testing.T) {
	d.press(t, "Send…")
	d.check(t, "send")
	d.press(t, "Start sending now")
	d.until(t, "section", "5 of 12 recipients dealt with") // the rest waits for the gate
	d.until(t, "section", "Sent 5 41.7 % of those selected")
	d.until(t, "svg[role=img] title", "Sent over time")
	if got := d.text(t, ".status"); got != "Sending" {
		t.Errorf("in the middle the campaign is %q", got)
	}
	d.check(t, "campaign-sending")
	d.press(t, "Campaigns")
	d.check(t, "campaigns-sending")
	d.press(t, "May news")
	d.gate()
	d.until(t, ".status", "Finished")
	d.until(t, "section", "12 of 12 recipients dealt with")
}

// letter is the message that a person got: its links, by their path's first part.
func (d *desktop) letter(t *testing.T, to string) map[string]string {
	t.Helper()
	for _, m := range d.mail.Messages(0, 100) {
		if m.To[0] == to {
			return links(t, m.Data)
		}
	}
	t.Fatalf("%s got nothing", to)
	return nil
}

func (d *desktop) readReport(t *testing.T) {
	for _, to := range []string{"wilhelmina.quill@example.org", "reader0@example.org", "reader1@example.org"} {
		visit(t, http.MethodGet, d.letter(t, to)["/o/"])
	}
	visit(t, http.MethodGet, d.letter(t, "wilhelmina.quill@example.org")["/c/"])
	d.settle(t)
	d.goes(t, "reload", chromedp.Reload())
	for what, want := range map[string]string{"Recipients": "12", "Sent": "12", "Opened": "3", "Clicked": "1", "Unsubscribed": "0"} {
		if got := d.figure(t, what); got != want {
			t.Errorf("%s: %s, want %s", what, got, want)
		}
	}
	charts := eval[[]string](t, d.tab, `[...document.querySelectorAll("svg[role=img]")].map((s) =>
		s.getAttribute("aria-labelledby").split(" ").map((id) => document.getElementById(id).textContent).join(" | ")
		+ " | " + [...s.querySelectorAll("rect")].filter((r) => r.getBoundingClientRect().height > 20).length)`)
	if len(charts) != 3 || !strings.HasPrefix(charts[0], "Sent over time | 12 in all") || !strings.HasPrefix(charts[1], "Opens over time | 3 in all") {
		t.Errorf("charts: %q", charts)
	}
	for _, c := range charts {
		if !strings.HasSuffix(c, " | 1") {
			t.Errorf("the chart %q, and so many bars, want one", c)
		}
	}
	d.do(t, "table", d.click("The numbers as a table"))
	d.check(t, "report")
	d.press(t, "Campaigns")
	d.check(t, "campaigns")
}

func (d *desktop) settle(t *testing.T) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if err := d.engine.Settled(ctx); err != nil {
		t.Fatal(err)
	}
}

// readMail looks at a message with an open pixel, which counts nothing.
func (d *desktop) readMail(t *testing.T) {
	before := d.head(t)
	d.press(t, "Mailbox")
	d.check(t, "mailbox")
	d.tab.open(t, "/mailbox/1")
	if n := d.expect("Content Security Policy"); n == 0 {
		t.Error("the message's picture was not held back")
	}
	d.check(t, "mail")
	if after := d.head(t); after != before {
		t.Errorf("looking at a message appends %d events", after-before)
	}
}

func (d *desktop) head(t *testing.T) int {
	t.Helper()
	at, err := d.engine.Position(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return int(at)
}

func (d *desktop) cancel(t *testing.T) {
	d.press(t, "Campaigns")
	d.press(t, "New campaign")
	d.fill(t, "name", "June news")
	d.do(t, "list", d.click("Readers 12 of 12 may get mail"))
	d.choose(t, "template", "May letter")
	d.fill(t, "from_email", "letter@books.example")
	d.press(t, "Save draft")
	d.press(t, "Send…")
	d.do(t, "a day", chromedp.SetValue(chromedp.ID("start_at"), time.Now().AddDate(1, 0, 0).UTC().Format("2006-01-02T15:04")))
	d.press(t, "Schedule")
	if got := d.text(t, ".status"); got != "Scheduled" {
		t.Errorf("the campaign is %q", got)
	}
	d.check(t, "campaign-scheduled")
	d.press(t, "Cancel…")
	d.check(t, "cancel")
	d.press(t, "Cancel the campaign")
	if got := d.text(t, ".status"); got != "Cancelled" {
		t.Errorf("the campaign is %q", got)
	}
	d.check(t, "campaign-cancelled")
}

// export finds a person by address, reads what is held of them, and downloads it.
func (d *desktop) export(t *testing.T) {
	d.press(t, "People")
	d.check(t, "people")
	d.fill(t, "email", "Wilhelmina.Quill@example.org")
	d.press(t, "Find")
	for _, want := range []string{
		"Wilhelmina Quill", "wilhelmina.quill@example.org", "Hay-on-Wye", // data
		"The account says they agreed", "import, line 2", // consent history
		"link 1 followed · May news 127.0.0.1 SecretAgent/7", // timeline
	} {
		if got := d.text(t, "main"); !strings.Contains(got, want) {
			t.Errorf("the page of a person does not say %q: %s", want, got)
		}
	}
	d.check(t, "person")
	d.press(t, "Make a bundle of their data")
	d.until(t, "main", "Download the bundle") // by itself
	var bundle any
	raw := d.download(t, "Download the bundle")
	if err := json.Unmarshal(raw, &bundle); err != nil || !strings.Contains(string(raw), "wilhelmina.quill@example.org") {
		t.Errorf("the bundle: %v, %.200s", err, raw)
	}
	d.check(t, "person-exported")
}

func (d *desktop) erase(t *testing.T) {
	d.press(t, "Erase…")
	d.check(t, "erase")
	d.press(t, "Erase for ever")
	d.until(t, "main", "Their keys are destroyed") // by itself
	d.check(t, "person-erased")
	got := strings.ToLower(eval[string](t, d.tab, "document.documentElement.outerHTML"))
	for _, gone := range []string{"quill", "hay-on-wye", "secretagent", "203.0.113.77"} {
		if strings.Contains(got, gone) {
			t.Errorf("the page of an erased person still says %q", gone)
		}
	}
	if !strings.Contains(d.text(t, "main"), "An erased person") {
		t.Errorf("the page says %q", d.text(t, "main"))
	}
}

// unsubscribe is a recipient's side: looking changes nothing, the button does.
func (d *desktop) unsubscribe(t *testing.T) {
	link := d.letter(t, "reader3@example.org")["/u/"]
	before := d.head(t)
	for range 2 {
		d.tab.open(t, link)
	}
	d.check(t, "unsubscribe")
	d.press(t, "Choose in detail what you agree to")
	d.check(t, "preferences")
	if after := d.head(t); after != before {
		t.Errorf("looking appends %d events", after-before)
	}
	d.tab.open(t, link)
	d.press(t, "Unsubscribe")
	if got := d.text(t, "h1"); got != "You are unsubscribed" {
		t.Errorf("the page says %q", got)
	}
	d.check(t, "unsubscribed")
	d.press(t, "Choose in detail what you agree to")
	d.do(t, "no opens", d.click("Counting that I opened a message"))
	d.press(t, "Save")
	d.check(t, "preferences-saved")
	d.settle(t)
	d.tab.open(t, "/lists")
	d.press(t, "Readers")
	if got := d.figure(t, "Unsubscribed"); got != "1" {
		t.Errorf("%s unsubscribed from the list, want 1", got)
	}

	d.refused(t, http.StatusNotFound, chromedp.Navigate(d.base+recipient.UnsubscribePath+"forged"))
	d.check(t, "link-broken")
}

// confirm is a recipient's side of a double opt-in: looking changes nothing, the
// button gives the consent that was asked for.
func (d *desktop) confirm(t *testing.T) {
	c, err := client.Dial(d.base, d.token)
	if err != nil {
		t.Fatal(err)
	}
	var person api.Subscriber
	if err := c.Call(t.Context(), http.MethodPost, "/subscribers/find", api.SubscriberQuery{Email: "reader3@example.org"}, &person); err != nil {
		t.Fatal(err)
	}
	var asked api.ConsentRecorded
	request := api.ConsentAnswer{Action: "request", Purpose: consent.Mailing, List: person.Lists[0].List}
	if err := c.Call(t.Context(), http.MethodPost, "/subscribers/"+person.ID.String()+"/consents", request, &asked); err != nil {
		t.Fatal(err)
	}
	before := d.head(t)
	d.tab.open(t, asked.ConfirmURL)
	d.check(t, "confirm")
	if after := d.head(t); after != before {
		t.Errorf("looking appends %d events", after-before)
	}
	d.press(t, "Confirm")
	d.check(t, "confirmed")
	d.settle(t)
	d.tab.open(t, "/lists")
	d.press(t, "Readers")
	if got := d.figure(t, "Unsubscribed"); got != "0" {
		t.Errorf("%s unsubscribed from the list, want 0", got)
	}
}

func (d *desktop) signOut(t *testing.T) {
	d.refused(t, http.StatusNotFound, chromedp.Navigate(d.base+"/nowhere"))
	d.check(t, "not-found")
	d.press(t, "Sign out")
	d.tab.open(t, "/people")
	if got := d.text(t, "h1"); got != "Sign in" {
		t.Errorf("signed out, /people shows %q", got)
	}
}
