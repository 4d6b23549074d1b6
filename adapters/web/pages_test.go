package web_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"mime/multipart"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/cleversender/cleversender/adapters/web"
	"github.com/cleversender/cleversender/commands"
	"github.com/cleversender/cleversender/domain"
	"github.com/cleversender/cleversender/domain/consent"
	"github.com/cleversender/cleversender/domain/delivery"
	"github.com/cleversender/cleversender/domain/message"
	"github.com/cleversender/cleversender/domain/personal"
	"github.com/cleversender/cleversender/domain/privacyrequest"
)

var formValue = regexp.MustCompile(`name="form" value="([^"]+)"`)

// A list is made once, however often its form is sent.
func TestLists(t *testing.T) {
	w := newWorld(t)
	form := formValue.FindStringSubmatch(w.get("/lists", 200).body)[1]
	first := w.post("/lists", 200, "form", form, "name", "News & more", "double_opt_in", "1")
	w.has(first, "News &amp; more", "Double opt-in")
	if again := w.post("/lists", 200, "form", form, "name", "News & more", "double_opt_in", "1"); again.id() != first.id() {
		t.Errorf("made twice: %s, %s", first.at, again.at)
	}
	w.has(w.post("/lists", 422, "name", ""), `role="alert"`)
	w.add(w.account, first.id(), "zoe@example.org", "Zoë <b>")
	w.has(w.get("/lists/"+first.id().String(), 200), "zoe@example.org", "Zoë &lt;b&gt;", "Never agreed")
	w.has(w.post("/lists/"+first.id().String()+"/archive", 200), "Archived")
}

// A list, a person, a campaign or a template of another account is not there.
func TestOtherAccounts(t *testing.T) {
	w := newWorld(t)
	list, person := newID(), domain.ID{}
	run(w, w.other, commands.CreateList{List: list, Name: "Theirs"})
	person = w.add(w.other, list, "zoe@example.org", "Zoë")
	for _, path := range []string{"/lists/" + list.String(), "/people/" + person.String(), "/people/" + person.String() + "/erase", "/campaigns/" + list.String(), "/templates/x"} {
		w.has(w.get(path, 404), "no such page")
	}
	w.post("/people/"+person.String()+"/erase", 404)
	w.post("/lists/"+list.String()+"/archive", 404)
	w.post("/campaigns", 404, "name", "x", "list", list.String())
	w.has(w.post("/people", 422, "email", "zoe@example.org"), "Nobody with this address")
	w.lacks(w.get("/people", 200), "Zoë")
}

// A template is checked before it is kept, shown for somebody made up, and what
// it says can neither run nor load anything.
func TestTemplates(t *testing.T) {
	w := newWorld(t)
	bad := w.post("/templates", 422, "name", "T", "subject", "S", "html", "<p>{{ name | shout }}</p>")
	w.has(bad, "line 1: there is no filter shout", "&lt;p&gt;{{ name | shout }}&lt;/p&gt;")
	made := w.post("/templates", 200, "name", "T", "subject", "Hi {{ name }}", "html", "<p>{{ name }}</p>\r\n<script>alert(1)</script>")
	w.has(made, "Saved.", "Revision 1")
	edited := w.post("/templates/"+made.id().String(), 200, "name", "T2", "subject", "Hi", "html", "<p>x</p>")
	w.has(edited, "Revision 2", "T2")
	preview := w.post("/templates/preview", 200, "subject", "Hi {{ name }}", "html", "<p>{{ attributes.city }}</p><script>alert(1)</script>")
	w.has(preview, "Subject: Hi Zoë Ångström", "<p>Malmö</p>")
	if csp := preview.header.Get("Content-Security-Policy"); !strings.Contains(csp, "sandbox") || strings.Contains(csp, "allow-scripts") || !strings.HasPrefix(csp, "default-src 'none'") {
		t.Errorf("policy %s", csp)
	}
	w.has(w.post("/templates/preview", 422, "html", "{{ name"), "not closed")
	text := w.post("/templates/preview", 200, "show", "text", "subject", "S", "html", "<p>Hello</p>")
	if text.body != "Subject: S\n\nHello\n" || !strings.HasPrefix(text.header.Get("Content-Type"), "text/plain") {
		t.Errorf("text %q", text.body)
	}
	w.has(w.get("/templates", 200), "T2")
}

// draft is a campaign with a list of one person who agreed, and a template.
func draft(w *world) (id domain.ID, person domain.ID) {
	w.t.Helper()
	list := w.post("/lists", 200, "name", "News").id()
	person = w.add(w.account, list, "zoe@example.org", "Zoë")
	run(w, w.account, commands.GiveConsent{
		Person: person, Purpose: consent.Mailing, List: list, Method: consent.ByAPI, IP: personal.Of("192.0.2.7"),
	})
	template := w.post("/templates", 200, "name", "T", "subject", "S", "html", "<p>x</p>").id()
	made := w.post("/campaigns", 200, "name", "Spring", "list", list.String(), "template", template.String(),
		"from_name", "Us", "from_email", "us@example.org", "opens", "1")
	w.has(made, "Spring", "Draft", "us@example.org", "opens, of those who agreed")
	return made.id(), person
}

// A draft is tried out by a form, once however often it is sent, and its page
// says what became of the tests.
func TestCampaignTest(t *testing.T) {
	w := newWorld(t)
	id, person := draft(w)
	path := "/campaigns/" + id.String()
	form := formValue.FindStringSubmatch(w.get(path, 200).body)[1]
	w.has(w.post(path+"/test", 200, "form", form, "to", "zoe@example.org"), "Send a test", "Waits for its turn", "/people/"+person.String())
	again := w.post(path+"/test", 200, "form", form, "to", "zoe@example.org")
	if n := strings.Count(again.body, "Waits for its turn"); n != 1 {
		t.Errorf("%d tests", n)
	}
	w.post(path+"/test", 422, "form", newID().String(), "to", "zoe")
	sent := w.account.Derive("form/" + form).Derive("message")
	worker := newID()
	run(w, w.account, commands.IntendMessage{Message: sent, Person: person, Worker: worker})
	run(w, w.account, commands.RecordMessageResult{
		Message: sent, Person: person, Worker: worker, Result: message.Failed{Code: 550, Reason: delivery.Rejected},
	})
	w.has(w.get(path, 200), "Failed", "The mail server refused the message", "550")
	w.post("/campaigns/"+newID().String()+"/test", 404, "to", "zoe@example.org")
}

// A campaign goes from draft to cancelled by its buttons, and each step that
// cannot be taken is refused in words.
func TestCampaign(t *testing.T) {
	w := newWorld(t)
	id, _ := draft(w)
	path := "/campaigns/" + id.String()
	w.has(w.get(path+"/send", 200), "1 of 1", "Start sending now")
	w.has(w.post(path+"/edit", 422, "name", ""), `role="alert"`)
	w.has(w.post("/campaigns", 422, "name", "x", "window", "at night"), "days, hours and a time zone", `value="at night"`)
	w.has(w.post("/campaigns", 422, "name", "x", "server", "elsewhere"), "mail server", `value="elsewhere"`)
	w.has(w.post("/campaigns", 200, "name", "x", "server", "relay", "window", "mon-fri 09:00-18:00 UTC"), "mon-fri 09:00-18:00 UTC", "relay")
	w.has(w.post(path+"/schedule", 422, "start_at", "soon"), "day and a time")
	w.has(w.post(path+"/schedule", 422, "start_at", "2020-01-01T00:00"), "future")
	w.has(w.post(path+"/schedule", 200, "start_at", "2026-05-01T09:00"), "Scheduled", "1 May 2026, 09:00 UTC")
	w.has(w.post(path+"/unschedule", 200), "Draft")
	w.broken = domain.Refuse("template_invalid", "the template is broken")
	w.has(w.post(path+"/start", 422), "The template is broken.")
	w.broken = nil
	w.has(w.post(path+"/start", 200), "Sending", "Pause", `data-live="`+path+`/progress"`)
	w.has(w.get(path, 200), "Waits for its hours to begin", "2 Jan 2030, 09:00 UTC")
	w.has(w.post(path+"/throttle", 200, "per_hour", "600"), "600 messages at most")
	w.has(w.post(path+"/throttle", 422, "per_hour", "many"), "whole number")
	w.has(w.post(path+"/throttle", 422, "per_hour", "-1"), "0 is no limit")
	w.has(w.post(path+"/pause", 200, "reason", "unauthenticated: servers do not trust the sender"), "Paused", "Resume", "servers do not trust")
	w.has(w.post(path+"/resume", 200), "Sending")
	w.has(w.get(path+"/cancel", 200), "cannot be undone")
	w.has(w.post(path+"/cancel", 200), "Cancelled")
	w.has(w.post(path+"/start", 200), "Cancelled")
	w.has(w.get("/", 200), "Spring", "Cancelled")
}

// What speaks against a start stands before the button; what blocks disables
// it, and is ticked to start all the same.
func TestPreflight(t *testing.T) {
	w := newWorld(t)
	id, _ := draft(w)
	path := "/campaigns/" + id.String()
	w.findings = []web.Finding{
		{Code: "from_domain_missing", Level: "block", Text: "The DNS does not know books.se."},
		{Code: "link_not_https", Level: "warn", Text: "1 link is not https.", Details: []string{"http://books.se/<one>: not https"}},
		{Code: "link_broken", Level: "unchecked", Text: "links are not fetched"},
		{Code: "no_text", Level: "ok", Text: "Every message has a text part."},
	}
	p := w.get(path+"/send", 200)
	w.has(p, "This keeps it from starting", "The DNS does not know books.se.", "Have a look at this first", "http://books.se/&lt;one&gt;",
		"<button disabled", `name="force" value="from_domain_missing"`, "could not be found out (1)", "as it should be (1)")
	w.lacks(p, "Schedule", `value="link_not_https"`)
	w.has(w.post(path+"/start", 422), "Preflight holds the campaign back: from_domain_missing.")
	w.has(w.post(path+"/schedule", 422, "start_at", "2026-05-01T09:00"), "Preflight holds the campaign back")
	w.has(w.post(path+"/start", 200, "force", "from_domain_missing"), "Sending")

	id, _ = draft(w)
	path = "/campaigns/" + id.String()
	w.findings = w.findings[1:]
	p = w.get(path+"/send", 200)
	w.has(p, "1 link is not https.", "Start sending now", "Schedule")
	w.lacks(p, "disabled", "force")
	w.post(path+"/schedule", 200, "start_at", "2026-05-01T09:00")
	run(w, w.account, commands.UnscheduleCampaign{Campaign: id, Reason: "preflight holds the campaign back: nobody_mailable"})
	w.has(w.get(path, 200), "Draft", "The scheduled start was called off: preflight holds the campaign back: nobody_mailable")
}

// A fault is logged, and shown as no more than that.
func TestFault(t *testing.T) {
	w := newWorld(t)
	id, _ := draft(w)
	w.broken = errors.New("disk on fire")
	p := w.post("/campaigns/"+id.String()+"/start", 500)
	w.has(p, "went wrong on our side")
	w.lacks(p, "disk")
	if !strings.Contains(w.logged.String(), "disk on fire") {
		t.Error("not logged")
	}
}

// Everything held about a person is on their page, and after an erasure that
// they were erased, and none of it.
func TestPerson(t *testing.T) {
	w := newWorld(t)
	_, person := draft(w)
	path := "/people/" + person.String()
	if p := w.post("/people", 200, "email", "ZOE@example.org"); p.at.Path != path || strings.Contains(p.at.String(), "zoe@") {
		t.Errorf("found at %s", p.at)
	}
	w.has(w.get(path, 200), "zoe@example.org", "Zoë", "Malmö", "Gets mail", "Agreed", "Mail from a list: News", "192.0.2.7")
	w.has(w.post(path+"/export", 200), "Their data", "In work", `http-equiv="refresh" content="1;url=`+path+`"`)
	w.has(w.get(path+"/erase", 200), "cannot be undone", "Zoë")
	w.has(w.post(path+"/erase", 200), "Erasure", "In work")

	run(w, w.account, commands.EraseSubscriber{Person: person, Request: newID()})
	p := w.get(path, 200) // erased, and the keys still there
	w.lacks(p, "zoe@example.org", "Zoë", "Malmö", "192.0.2.7")
	w.keys.shred(person)
	p = w.get(path, 200)
	w.has(p, "An erased person", "1 Mar 2026, 12:00 UTC", "Their keys are being destroyed")
	w.lacks(p, "zoe@example.org", "Zoë", "Malmö", "/erase")
	w.lacks(w.get("/people", 200), "zoe@example.org")
	w.has(w.get(path+"/erase", 200), "Already erased")
}

// What holds mail back from a person is on their page, with the way to end it;
// restrictions and objections are requests that the desk fulfils.
func TestHolds(t *testing.T) {
	w := newWorld(t)
	_, person := draft(w)
	path := "/people/" + person.String()
	w.has(w.post(path+"/suppress", 200, "note", "asked by phone"), "Suppressed by hand", "The reason is settled", "asked by phone")
	w.has(w.post(path+"/unsuppress", 422, "reason", "manual", "note", " "), "The note is empty")
	w.lacks(w.post(path+"/unsuppress", 200, "reason", "manual", "note", "asked back"), "Suppressed by hand", "The reason is settled")

	w.has(w.post(path+"/restrict", 200), "Restriction", "In work")
	w.has(w.post(path+"/object", 200), "No more marketing", "In work")
	request := newID()
	run(w, w.account, commands.OpenRequest{Request: request, Person: person, Kind: privacyrequest.Restriction, Now: w.now})
	run(w, w.account, commands.RestrictSubscriber{Person: person, Request: request})
	run(w, w.account, commands.FulfilHold{Request: request, Person: person, Hold: newID()})
	run(w, w.account, commands.ObjectSubscriber{Person: person, Method: consent.ByDataRequest})
	w.has(w.get(path, 200), "Restricted: their data is kept and not used", "Objected to marketing", "In force <time", "Lift the restriction")
	w.has(w.get("/lists", 200), "Held back")

	w.has(w.post(path+"/lift", 422), "was informed")
	w.has(w.post(path+"/lift", 422, "informed", "2026-03-02"), "was informed") // tomorrow
	w.lacks(w.post(path+"/lift", 200, "informed", "2026-02-28"), "Restricted: their")
	w.lacks(w.post(path+"/withdraw", 200, "note", "changed her mind"), "Objected to marketing")
	w.has(w.get(path, 200), "changed her mind", "Unsubscribed")
	w.post("/people/"+newID().String()+"/suppress", 404)
}

// The bundle of an access request is handed out once it is fulfilled, to the
// account that asked.
func TestBundle(t *testing.T) {
	w := newWorld(t)
	_, person := draft(w)
	request := newID()
	run(w, w.account, commands.OpenRequest{Request: request, Person: person, Kind: privacyrequest.Access, Now: w.now})
	path := "/people/" + person.String() + "/requests/" + request.String()
	w.has(w.get(path, 422), "not ready")
	run(w, w.account, commands.FulfilAccess{Request: request, Person: person, Position: 1, Events: 3, SHA256: strings.Repeat("a", 64)})
	p := w.get(path, 200)
	if p.body != `{"bundle":true}` || !strings.HasPrefix(p.header.Get("Content-Disposition"), "attachment") {
		t.Errorf("%v %s", p.header, p.body)
	}
	w.has(w.get("/people/"+person.String(), 200), "Download the bundle", "3 events")
	w.get("/people/"+newID().String()+"/requests/"+request.String(), 404)
}

func (w *world) upload(status int, file string, fields ...string) page {
	w.t.Helper()
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	for i := 0; i < len(fields); i += 2 {
		_ = form.WriteField(fields[i], fields[i+1])
	}
	if file != "" {
		part, _ := form.CreateFormFile("file", "people.csv")
		_, _ = part.Write([]byte(file))
	}
	_ = form.Close()
	r, _ := http.NewRequest(http.MethodPost, w.site.URL+"/imports", &body)
	r.Header.Set("Content-Type", form.FormDataContentType())
	return w.want(w.do(r), status)
}

// A file comes in by its form; what was left out is listed by line.
func TestImport(t *testing.T) {
	w := newWorld(t)
	list := w.post("/lists", 200, "name", "News").id()
	p := w.upload(200, "email,name\nzoe@example.org,Zoë\nnot an address,X\n", "list", list.String(), "purpose", "mailing", "source", "the fair", "form", "x")
	w.has(p, "the fair", "Mail from a list", "finished")
	if !regexp.MustCompile(`<td class="num">3</td><td>The address[^<]+<code>\w+</code>`).MatchString(p.body) {
		t.Errorf("line 3 is not listed\n%s", p.body)
	}
	w.has(w.get("/lists/"+list.String(), 200), "zoe@example.org", "Gets mail")
	w.has(w.upload(422, "", "list", list.String()), "Pick a file")
	w.has(w.get("/imports", 200), "News", "finished")
	w.upload(404, "email\n", "list", newID().String())
}

const letter = "From: =?utf-8?q?B=C3=BCcherei?= <news@example.org>\r\nTo: zoe@example.org\r\nSubject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\r\n" +
	"Content-Type: multipart/alternative; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\nHallo Zo=C3=AB\r\n" +
	"--b\r\nContent-Type: text/html; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\nPHA+SGFsbG88L3A+PHNjcmlwdD5hbGVydCgxKTwvc2NyaXB0Pg==\r\n--b--\r\n"

// Caught messages are listed and shown, their HTML in a frame that runs and
// loads nothing.
func TestMailbox(t *testing.T) {
	w := newWorld(t)
	w.caught.put(letter)
	w.caught.put("nonsense")
	w.has(w.get("/mailbox", 200), "Grüße", "(no subject)", "took 2 messages")
	p := w.get("/mailbox/1", 200)
	w.has(p, "Grüße", "Bücherei", "Hallo Zoë", `src="/mailbox/1/html"`, "sandbox=")
	w.lacks(p, "<script>alert")
	frame := w.get("/mailbox/1/html", 200)
	w.has(frame, "<p>Hallo</p>")
	if csp := frame.header.Get("Content-Security-Policy"); !strings.Contains(csp, "sandbox") || strings.Contains(csp, "allow-scripts") || strings.Contains(csp, "allow-same-origin") {
		t.Errorf("policy %s", csp)
	}
	if source := w.get("/mailbox/1/source", 200); source.body != letter {
		t.Errorf("source %q", source.body)
	}
	w.has(w.get("/mailbox/2", 200), "nonsense")
	w.get("/mailbox/3", 404)
	w.get("/mailbox/x", 404)
}

// The script's numbers are those of the page.
func TestProgress(t *testing.T) {
	w := newWorld(t)
	id, _ := draft(w)
	var got map[string]any
	p := w.get("/campaigns/"+id.String()+"/progress", 200)
	if err := json.Unmarshal([]byte(p.body), &got); err != nil || got["status"] != "draft" || got["sent"] != 0.0 {
		t.Errorf("%v %s", err, p.body)
	}
}
