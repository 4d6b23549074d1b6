package preflight_test

import (
	"maps"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/cleversender/cleversender/adapters/preflight"
	"github.com/cleversender/cleversender/domain"
	"github.com/cleversender/cleversender/projections/audience"
)

// rows are what is done to a campaign with nothing wrong with it, which finding
// it gets from that, and what the finding names.
var rows = []struct {
	name, code, names string
	spoil             func(*world)
}{
	{"no template", "content_broken", "pick a template", func(w *world) { w.refused = domain.Refuse("no_template", "pick a template") }},
	{"a template that fails for one", "content_broken", "For 1 of 2", func(w *world) {
		w.people[1].Name, w.unwell = "Unwell", domain.Refuse("template_too_slow", "too slow")
	}},
	{"no address of ours", "no_unsubscribe", "--base-url", func(w *world) { w.deps.BaseURL = "" }},
	{"half an address", "no_unsubscribe", "", func(w *world) { w.deps.BaseURL = "mail.books.se" }},
	{"nobody", "nobody_mailable", "News: 0 of 3 may be mailed; 1 never agreed, 2 unsubscribed", func(w *world) {
		w.people, w.lists[0].Counts = nil, audience.Counts{Members: 3, Silent: 1, Revoked: 2}
	}},
	{"an archived list", "nobody_mailable", "archived", func(w *world) { w.people, w.lists[0].Archived = nil, true }},
	{"no list", "nobody_mailable", "no list", func(w *world) { w.people, w.settings.Lists = nil, nil }},
	{"few", "consent_low", "Only 67 %", func(w *world) { w.lists[0].Counts = audience.Counts{Members: 3, Mailable: 2, Objected: 1} }},

	{"a link to nowhere", "link_malformed", `https:///x`, link(`https:///x`)},
	{"an empty link", "link_malformed", "in 2 of 2", link("")},
	{"a relative link", "link_malformed", "/offers: it is no whole", link("/offers")},
	{"a script", "link_malformed", "javascript:go()", link("javascript:go()")},
	{"a private link", "link_malformed", "cannot reach", link("http://192.168.1.7/x")},
	{"a link to this machine", "link_malformed", "localhost", link("http://localhost:8080/")},
	{"a link to a name of the office", "link_malformed", "intranet", link("https://intranet/x")},
	{"Liquid in a link", "link_malformed", "Liquid", link("https://books.se/{ { name }}")},
	{"Liquid in a link, encoded", "link_malformed", "Liquid", link("%7B%7Bunsubscribe_url%7D%7D")},
	{"a link of what somebody told us", "link_malformed", "in 1 of 2", func(w *world) {
		w.people[0].Name, w.message.HTML = "not a link", w.message.HTML+`<a href="https://books.se/NAME/ada">x</a><a href="NAME">x</a>`
		w.people[1].Name = "https://bo.se/"
	}},
	{"an insecure link", "link_not_https", "http://books.se/", link("http://books.se/")},
	{"a dead link", "link_broken", "https://books.se/one: it answers 404", answers(404)},
	{"a link to a failing server", "link_broken", "500", answers(500)},
	{"a link to nobody", "link_broken", "no answer", func(w *world) { w.deps.Client = &http.Client{Transport: pages{}} }},

	{"no way out in the HTML", "unsubscribe_not_in_body", "2 of 2", func(w *world) {
		w.message.HTML = strings.ReplaceAll(w.message.HTML, unsubscribe, "https://books.se/one")
	}},
	{"no way out in the text", "unsubscribe_not_in_body", "2 of 2", func(w *world) { w.message.HTML, w.message.Text = "", "hello" }},
	{"an insecure way out", "unsubscribe_not_https", "RFC 8058", func(w *world) { w.deps.BaseURL = "http://mail.books.se" }},
	{"a way out to this machine", "unsubscribe_unreachable", "127.0.0.1", func(w *world) { w.deps.BaseURL = "https://127.0.0.1:8080" }},
	{"a long message", "html_too_large", "103 kB", func(w *world) { w.message.HTML += strings.Repeat("x", 102<<10) }},
	{"long by tracking alone", "html_too_large", "", func(w *world) { w.message.HTML += strings.Repeat("x", 102<<10-len(w.message.HTML)) }},
	{"no text", "no_text", "2 of 2", func(w *world) { w.message.Text = " \n" }},
	{"an image alone", "image_without_alt", "1 image has", func(w *world) { w.message.HTML += `<img src="y">` }},
	{"no subject", "subject_empty", "2 of 2", func(w *world) { w.message.Subject = "" }},
	{"a long subject", "subject_too_long", "151", func(w *world) { w.message.Subject = strings.Repeat("ö", 151) }},
	{"somebody without a city", "variable_empty", "attributes.city: empty for 1 of 2 people (50 %)", func(w *world) { w.people[0].Attributes = nil }},
	{"somebody without a name", "variable_empty", "name: empty for 1 of 2", func(w *world) { w.people[0].Name = " " }},

	{"no server", "no_mail_server", "--smtp", func(w *world) { w.deps.Sends = false }},
	{"a name for examples", "from_reserved", "example.org", func(w *world) { w.settings.FromEmail = "a@example.org" }},
	{"a mailbox of everybody's", "from_freemail", "gmail.com", func(w *world) { w.settings.FromEmail = "a@gmail.com" }},
	{"a mailbox abroad", "from_freemail", "yahoo.co.uk", func(w *world) { w.settings.FromEmail = "a@yahoo.co.uk" }},
	{"no such domain", "from_domain_missing", "gone.se", func(w *world) { w.settings.FromEmail = "a@gone.se" }},
	{"nobody takes replies", "replies_bounce", "help.se", func(w *world) { w.settings.ReplyTo = "a@help.se" }},
	{"nobody wants replies", "replies_bounce", "help.se", func(w *world) { w.settings.ReplyTo = "a@help.se"; w.zone.mx["help.se"] = "." }},

	{"no key", "no_dkim_key", "books.se", func(w *world) { w.keys = nil }},
	{"no record of the key", "dkim_record_missing", keyName + ": publish " + goodKey, key()},
	{"another key", "dkim_record_differs", "another key", key("v=DKIM1; k=rsa; p=BBBB")},
	{"a revoked key", "dkim_record_differs", "revoked", key("v=DKIM1; p=")},
	{"a key of another kind", "dkim_record_differs", "another kind", key("k=ed25519; p=AAAA")},
	{"a key of another version", "dkim_record_differs", "no DKIM record", key("v=DKIM2; p=AAAA")},
	{"a key for old hashes", "dkim_record_differs", "SHA-256", key("h=sha1; p=AAAA")},
	{"a key for other things", "dkim_record_differs", "not for e-mail", key("s=other; p=AAAA")},
	{"a key on trial", "dkim_record_differs", "t=y", key("t=s:y; p=AAAA")},
	{"two keys", "dkim_record_differs", "more than one", key(goodKey, goodKey)},

	{"no SPF", "spf_missing", "books.se", spf()},
	{"SPF of a later version", "spf_missing", "", spf("v=spf10 +all")},
	{"no SPF where bounces go", "spf_missing", "b.books.se", func(w *world) { w.deps.BounceDomain = "b.books.se" }},
	{"two SPF records", "spf_invalid", "more than one", spf("v=spf1 a -all", "v=spf1 mx -all")},
	{"SPF that means nothing", "spf_invalid", "ipv4:192.0.2.1", spf("v=spf1 ipv4:192.0.2.1 -all")},
	{"SPF of somebody who has none", "spf_invalid", "none.se", spf("v=spf1 include:none.se -all")},
	{"SPF that leads to none", "spf_invalid", "none.se", spf("v=spf1 redirect=none.se")},
	{"SPF for nobody", "spf_invalid", "nobody", spf("v=spf1 -all")},
	{"soft SPF", "spf_weak", "~all", spf("v=spf1 a ~all")},
	{"open SPF", "spf_weak", "+all", spf("v=spf1 a all")},
	{"SPF without an end", "spf_weak", "says nothing", spf("v=spf1 a")},
	{"SPF whose end is elsewhere", "spf_weak", "~all", func(w *world) {
		w.zone.texts["books.se"] = []string{"v=spf1 a redirect=other.se"}
		w.zone.texts["other.se"] = []string{"v=spf1 mx ~ALL"}
	}},
	{"SPF of eleven lookups", "spf_too_many_lookups", "4.6.4", func(w *world) {
		w.zone.texts["books.se"] = []string{"v=spf1 a mx a:a.se a:b.se a:c.se include:more.se -all"}
		w.zone.texts["more.se"] = []string{"v=spf1 exists:x.se exists:y.se ptr mx:a.se mx:b.se ip4:192.0.2.1 -all"}
	}},
	{"SPF that includes itself", "spf_too_many_lookups", "", spf("v=spf1 include:books.se -all")},
	{"bounces elsewhere", "spf_unaligned", "bounces.no", func(w *world) {
		w.deps.BounceDomain, w.zone.texts["bounces.no"] = "bounces.no", []string{"v=spf1 a -all"}
	}},
	{"bounces nearby, and strict", "spf_unaligned", "b.books.se", func(w *world) {
		w.deps.BounceDomain, w.zone.texts["b.books.se"] = "b.books.se", []string{"v=spf1 a -all"}
		w.zone.texts["_dmarc.books.se"] = []string{"v=DMARC1; p=none; aspf=s"}
	}},

	{"no DMARC", "dmarc_missing", "books.se", func(w *world) { delete(w.zone.texts, "_dmarc.books.se") }},
	{"DMARC that cannot be read", "dmarc_missing", "cannot read", func(w *world) { w.zone.texts["_dmarc.books.se"] = []string{"v=DMARC1; p=maybe"} }},
	{"two DMARC records", "dmarc_missing", "more than one", func(w *world) {
		w.zone.texts["_dmarc.books.se"] = []string{"v=DMARC1; p=none", "v=DMARC1; p=none"}
	}},
	{"rejected", "dmarc_reject", "p=reject", unsigned("v=DMARC1; p=reject")},
	{"rejected, its subdomains not", "dmarc_reject", "", unsigned("v=DMARC1; p=reject; sp=none")},
	{"rejected for all that SPF takes", "dmarc_reject", "", func(w *world) {
		w.keys, w.zone.texts["books.se"] = nil, []string{"v=spf1 a a a a a a a a a a a -all"}
	}},
	{"in spam", "dmarc_quarantine", "p=quarantine", unsigned("v=DMARC1; p=quarantine")},
	{"rejected as its organisation asks", "dmarc_reject", "news.books.se", func(w *world) {
		unsigned("v=DMARC1; p=none; sp=reject")(w)
		w.settings.FromEmail, w.zone.mx["news.books.se"] = "a@news.books.se", "mx.books.se."
	}},
	{"signed for another, and strict", "dmarc_reject", "", func(w *world) {
		unsigned("v=DMARC1; p=reject; adkim=s")(w)
		w.keys = []preflight.Key{{Domain: "k.books.se", Name: keyName, Record: goodKey}}
	}},
}

func link(href string) func(*world) {
	return func(w *world) {
		w.letter.HTML += `<a href="` + href + `">`
		w.message.HTML += `<a href="` + href + `">x</a>`
	}
}

func answers(status int) func(*world) {
	return func(w *world) { w.deps.Client = &http.Client{Transport: pages{"https://books.se/one": status}} }
}

func key(records ...string) func(*world) {
	return func(w *world) { w.zone.texts[keyName] = records }
}

func spf(records ...string) func(*world) {
	return func(w *world) { w.zone.texts["books.se"] = records }
}

// unsigned: there is a policy, and nothing vouches for the sender.
func unsigned(policy string) func(*world) {
	return func(w *world) {
		w.zone.texts["_dmarc.books.se"], w.zone.texts["books.se"], w.keys = []string{policy}, nil, nil
	}
}

// levels is what each rule of a report said.
func levels(found map[string]preflight.Finding) map[preflight.Level][]string {
	out := map[preflight.Level][]string{}
	for _, code := range slices.Sorted(maps.Keys(found)) {
		out[found[code].Level] = append(out[found[code].Level], code)
	}
	return out
}

// A campaign with nothing wrong with it gets through; links are looked at only
// when that is asked for.
func TestNothingFound(t *testing.T) {
	w := newWorld()
	got := levels(w.check(t, false))
	if len(got[preflight.Block])+len(got[preflight.Warn]) > 0 || !slices.Equal(got[preflight.Unchecked], []string{"link_broken"}) {
		t.Errorf("%v", got)
	}
	answers(200)(w)
	if got := levels(w.check(t, true)); len(got[preflight.OK]) != len(preflight.Rules) {
		t.Errorf("%v", got)
	}
}

// Each rule finds what it is for, at its level, and says what it is about; and
// each has a row.
func TestRules(t *testing.T) {
	level := map[string]preflight.Level{}
	for _, r := range preflight.Rules {
		level[r.Code] = r.Level
	}
	tried := map[string]bool{}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			w := newWorld()
			answers(200)(w)
			row.spoil(w)
			got := w.check(t, true)[row.code]
			if got.Level != level[row.code] || !strings.Contains(got.Text+"\n"+strings.Join(got.Details, "\n"), row.names) {
				t.Errorf("%+v, want %s with %q", got, level[row.code], row.names)
			}
			tried[row.code] = true
		})
	}
	for code := range level {
		if !tried[code] {
			t.Errorf("no row for %s", code)
		}
	}
}

// What is right as it is, though it looks like what is not.
func TestNothingWrong(t *testing.T) {
	for name, spoil := range map[string]func(*world){
		"a link by mail":             link("mailto:help@books.se"),
		"a number to call":           link("tel:+46401234"),
		"a place on the page":        link("#top"),
		"a link that robots get no":  answers(403),
		"a server without HEAD":      answers(405),
		"a key as it is spaced":      key("p=AA AA;k = rsa ;v=DKIM1"),
		"a key for all that is":      key("v=DKIM1; k=rsa; h=sha1:sha256; s=*; t=s; p=AAAA"),
		"an unknown modifier":        spf("v=spf1 a exp=why.books.se x=y -all"),
		"a macro":                    spf("v=spf1 include:%{i}.spf.books.se -all"),
		"ten lookups":                spf("v=spf1 a mx a:a.se a:b.se a:c.se a:d.se a:e.se a:f.se a:g.se a:h.se -all"),
		"a redirection that is none": spf("v=spf1 a -all redirect=none.se"),
		"a redirection of the rest": func(w *world) {
			w.zone.texts["books.se"], w.zone.texts["other.se"] = []string{"v=spf1 a redirect=other.se"}, []string{"v=spf1 -all"}
		},
		"SPF alone": func(w *world) { w.keys[0].Domain = "other.no" },
		"DKIM alone": func(w *world) {
			w.deps.BounceDomain, w.zone.texts["b.books.se"] = "b.books.se", []string{"v=spf1 a -all"}
		},
		"a policy of a subdomain": func(w *world) {
			w.zone.texts["_dmarc.books.se"] = []string{"v=DMARC1; p=reject; sp=none", "not a policy"}
		},
		"a network of its own": func(w *world) { w.message.HTML += `<a href="https://[2001:db8::1]/">x</a>` },
		"letters of their own": func(w *world) {
			w.settings.FromEmail = "a@bücher.se"
			for name, texts := range w.zone.texts {
				w.zone.texts[strings.Replace(name, "books.se", "xn--bcher-kva.se", 1)] = texts
			}
			w.zone.mx["xn--bcher-kva.se"], w.keys[0].Domain = "mx.books.se.", "xn--bcher-kva.se"
		},
	} {
		w := newWorld()
		answers(200)(w)
		spoil(w)
		if got := levels(w.check(t, true)); len(got[preflight.Block])+len(got[preflight.Warn]) > 0 {
			t.Errorf("%s: %v", name, got)
		}
	}
}

// Nothing that the network does not say is held against anybody.
func TestTheNetworkIsNotThere(t *testing.T) {
	network := []string{
		"dkim_record_differs", "dkim_record_missing", "dmarc_missing", "dmarc_quarantine", "dmarc_reject", "from_domain_missing",
		"link_broken", "replies_bounce", "spf_invalid", "spf_missing", "spf_too_many_lookups", "spf_unaligned", "spf_weak",
	}
	for name, spoil := range map[string]func(*world){
		"turned off":                       func(w *world) { w.resolver = nil },
		"silent":                           func(w *world) { w.zone.lost["."] = true },
		"says that nothing is there":       func(w *world) { w.resolver = nowhere{} },
		"the sender is a name for samples": func(w *world) { w.settings.FromEmail = "a@books.example" },
	} {
		w := newWorld()
		w.settings.FromEmail = "a@gone.se" // whom a network that is there would block
		spoil(w)
		if got := levels(w.check(t, false)); len(got[preflight.Block]) > 0 || !slices.Equal(got[preflight.Unchecked], network) {
			t.Errorf("%s: %v", name, got)
		}
	}
	// One name of which nothing is heard, when the policy hangs on it.
	for lost, spoil := range map[string]func(*world){
		"books.se": key(), keyName: spf(), "_dmarc.books.se": unsigned("v=DMARC1; p=reject"),
		"in.se": func(w *world) { key()(w); spf("v=spf1 include:in.se -all")(w) },
		"then.se": func(w *world) {
			key()(w)
			spf("v=spf1 include:then.se redirect=other.se")(w)
			w.zone.texts["other.se"] = []string{"v=spf1 -all"}
		},
	} {
		w := newWorld()
		spoil(w)
		w.zone.lost[lost] = true
		if got := w.check(t, false)["dmarc_reject"]; got.Level != preflight.Unchecked {
			t.Errorf("without %s: %+v", lost, got)
		}
	}
}

// Of somebody made up nothing is held against the template.
func TestNobodyToLookAt(t *testing.T) {
	w := newWorld()
	w.people = nil
	w.letter.HTML += `<a href="/here">`
	w.message.HTML += `<a href="NAME"><a href="/here">`
	if got := w.check(t, false)["link_malformed"]; len(got.Details) != 1 || !strings.HasPrefix(got.Details[0], "/here") {
		t.Errorf("%+v, want the link that is written in the template alone", got)
	}
}

// A view of the audience that lags keeps nobody from starting.
func TestTheViewLags(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		w.stale, w.people, w.lists[0].Counts = true, nil, audience.Counts{}
		got := w.check(t, false)
		if got["nobody_mailable"].Level != preflight.Unchecked || got["consent_low"].Level != preflight.Unchecked {
			t.Errorf("%v", levels(got))
		}
	})
}

// What a recipient told us is in no finding, and no link of it is fetched.
func TestFindingsHoldNobodysValues(t *testing.T) {
	w := newWorld()
	asked := pages{"https://books.se/one": 404}
	w.deps.Client = &http.Client{Transport: asked}
	w.people[0].Name, w.people[0].Email, w.people[0].Attributes = "Secret", "secret@books.se", map[string]string{"city": "Secret"}
	w.message.HTML += `<a href="http://books.se/NAME"></a><a href="javascript:NAME"></a><a href="NAME">`
	w.message.Subject = "NAME" + strings.Repeat("x", 200)
	for code, f := range w.check(t, true) {
		if strings.Contains(f.Text+strings.Join(f.Details, "\n"), "Secret") {
			t.Errorf("%s: %+v", code, f)
		}
		if code == "link_broken" && len(f.Details) != 1 {
			t.Errorf("fetched: %v", f.Details)
		}
	}
}

// Links are fetched from public hosts only, wherever they lead.
func TestGuarded(t *testing.T) {
	for _, private := range []string{"http://127.0.0.1:80/", "http://[::1]/", "http://169.254.169.254/latest/meta-data"} {
		resp, err := preflight.Guarded().Get(private)
		if err == nil {
			_ = resp.Body.Close()
		}
		if err == nil || !strings.Contains(err.Error(), "prohibited") {
			t.Errorf("%s: %v", private, err)
		}
	}
}

// docs/preflight.md says of every rule what it is, and of no other.
func TestDocs(t *testing.T) {
	raw, err := os.ReadFile("../../docs/preflight.md")
	if err != nil {
		t.Fatal(err)
	}
	var want []string
	for _, r := range preflight.Rules {
		want = append(want, "| `"+r.Code+"` | "+string(r.Level)+" | "+r.Asks+" |")
	}
	var got []string
	for line := range strings.Lines(string(raw)) {
		if strings.HasPrefix(line, "| `") {
			got = append(got, strings.Join(strings.SplitAfterN(line, "|", 5)[:4], ""))
		}
	}
	if !slices.Equal(got, want) {
		t.Errorf("docs/preflight.md has\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}
