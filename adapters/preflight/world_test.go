package preflight_test

import (
	"cmp"
	"context"
	"errors"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/cleversender/cleversender/adapters/eventlog"
	"github.com/cleversender/cleversender/adapters/preflight"
	"github.com/cleversender/cleversender/domain"
	"github.com/cleversender/cleversender/domain/campaign"
	"github.com/cleversender/cleversender/domain/delivery"
	"github.com/cleversender/cleversender/domain/event"
	"github.com/cleversender/cleversender/domain/personal"
	"github.com/cleversender/cleversender/projections/audience"
)

// zone is the DNS, as far as it is there. What is neither in it nor lost is absent.
type zone struct {
	texts map[string][]string
	mx    map[string]string // "." is the null MX
	lost  map[string]bool   // names of which nothing is heard; "." : of all
}

func (z *zone) found(name string) error {
	name = strings.TrimSuffix(name, ".")
	if z.lost[name] || z.lost["."] {
		return &net.DNSError{Err: "timeout", Name: name, IsTimeout: true}
	}
	return nil
}

func absent(name string) error {
	return &net.DNSError{Err: "no such host", Name: name, IsNotFound: true}
}

func (z *zone) LookupTXT(_ context.Context, name string) ([]string, error) {
	if all := z.texts[strings.TrimSuffix(name, ".")]; z.found(name) == nil && len(all) > 0 {
		return all, nil
	}
	return nil, cmp.Or(z.found(name), absent(name))
}

func (z *zone) LookupMX(_ context.Context, name string) ([]*net.MX, error) {
	if host := z.mx[strings.TrimSuffix(name, ".")]; z.found(name) == nil && host != "" {
		return []*net.MX{{Host: host}}, nil
	}
	return nil, cmp.Or(z.found(name), absent(name))
}

func (z *zone) LookupHost(_ context.Context, name string) ([]string, error) {
	return nil, cmp.Or(z.found(name), absent(name))
}

func (z *zone) LookupNS(_ context.Context, name string) ([]*net.NS, error) {
	if name == "." && z.found(name) == nil {
		return []*net.NS{{Host: "a.root-servers.net."}}, nil
	}
	return nil, cmp.Or(z.found(name), absent(name))
}

// world is a campaign with nothing wrong with it, and all that preflight asks.
type world struct {
	settings campaign.Settings
	zone     *zone
	resolver preflight.Resolver
	keys     []preflight.Key
	lists    []audience.List
	people   []preflight.Person
	letter   preflight.Letter
	message  preflight.Message // of the letter; "NAME" in it is the person's name
	refused  error             // no message can be made
	unwell   error             // of somebody called "Unwell"
	stale    bool
	deps     preflight.Deps
}

const (
	unsubscribe = "https://mail.books.se/u/token"
	goodKey     = "v=DKIM1; k=rsa; p=AAAA"
	keyName     = "s1._domainkey.books.se"
)

func newWorld() *world {
	w := &world{
		settings: campaign.Settings{
			Name: "May", Lists: []domain.ID{{7}}, Template: domain.ID{8}, FromName: "Books", FromEmail: "letter@books.se",
		},
		zone: &zone{
			texts: map[string][]string{
				"books.se":        {"v=spf1 ip4:192.0.2.1 -all", "something=else"},
				"_dmarc.books.se": {"v=DMARC1; p=reject"},
				keyName:           {goodKey},
			},
			mx: map[string]string{"books.se": "mx.books.se."}, lost: map[string]bool{},
		},
		keys:  []preflight.Key{{Domain: "books.se", Name: keyName, Record: goodKey}},
		lists: []audience.List{{ID: domain.ID{7}, Name: "News", Counts: audience.Counts{Members: 2, Mailable: 2}}},
		people: []preflight.Person{
			{ID: domain.ID{1}, List: domain.ID{7}, Email: "ada@books.se", Name: "Ada", Attributes: map[string]string{"city": "Malmö"}},
			{ID: domain.ID{2}, List: domain.ID{7}, Email: "bo@books.se", Name: "Bo", Attributes: map[string]string{"city": "Umeå"}},
		},
		letter: preflight.Letter{
			HTML:      `<a href="https://books.se/one">one</a><a href="{{ unsubscribe_url }}">leave</a>`,
			Variables: []string{"attributes.city", "name"},
		},
		message: preflight.Message{
			Subject: "Three books for NAME", Text: "one, " + unsubscribe, UnsubscribeURL: unsubscribe,
			HTML: `<p>NAME<a href="https://books.se/one">one</a><a href="` + unsubscribe + `">leave</a><img src="x" alt="">`,
		},
		deps: preflight.Deps{BaseURL: "https://mail.books.se", Sends: true},
	}
	w.resolver = w.zone
	return w
}

func (w *world) check(t *testing.T, links bool) map[string]preflight.Finding {
	t.Helper()
	d := w.deps
	d.Audience, d.Resolver = w, w.resolver
	d.Open = func(context.Context, []eventlog.SealedValue) error { return nil }
	d.Keys = func(context.Context, domain.ID, string) ([]preflight.Key, error) { return w.keys, nil }
	d.Letter = func(context.Context, domain.ID, campaign.Settings) (preflight.Letter, error) {
		w.letter.Render = w.render
		return w.letter, w.refused
	}
	report, err := preflight.New(d).Check(t.Context(), domain.ID{9}, w.settings, links)
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]preflight.Finding{}
	for i, f := range report {
		if f.Code != preflight.Rules[i].Code || f.Text == "" {
			t.Errorf("finding %d is %+v, want one of %s", i, f, preflight.Rules[i].Code)
		}
		out[f.Code] = f
	}
	return out
}

func (w *world) render(p preflight.Person, tracking bool) (preflight.Message, error) {
	if p.Name == "Unwell" {
		return preflight.Message{}, w.unwell
	}
	m := w.message
	for _, part := range []*string{&m.Subject, &m.HTML, &m.Text} {
		*part = strings.ReplaceAll(*part, "NAME", p.Name)
	}
	if tracking {
		m.HTML = strings.ReplaceAll(m.HTML, "https://books.se/one", "https://mail.books.se/c/"+strings.Repeat("x", 100))
	}
	return m, nil
}

func (w *world) Current(ctx context.Context) error {
	if w.stale {
		<-ctx.Done()
	}
	return ctx.Err()
}

func (w *world) Lists(context.Context, domain.ID, []domain.ID) ([]audience.List, error) {
	return w.lists, nil
}

// Members has one more, who may not be mailed.
func (w *world) Members(context.Context, domain.ID, []domain.ID, domain.ID, int) ([]domain.ID, error) {
	ids := []domain.ID{{99}}
	for _, p := range w.people {
		ids = append(ids, p.ID)
	}
	return ids, nil
}

func (w *world) Permissions(_ context.Context, _ domain.ID, _, people []domain.ID) ([]audience.Permission, error) {
	out := make([]audience.Permission, len(people))
	out[0].Withhold = delivery.Revoked
	for i, p := range w.people {
		out[i+1] = audience.Permission{
			List: p.List, Consent: event.Position(1), Email: personal.Of(p.Email), Name: personal.Of(p.Name), Attributes: personal.FieldsOf(p.Attributes),
		}
	}
	return out, nil
}

// pages is the web: the status of each URL that somebody answers.
type pages map[string]int

func (p pages) RoundTrip(r *http.Request) (*http.Response, error) {
	status, known := p[r.URL.String()]
	if !known {
		return nil, errors.New("no such host")
	}
	return &http.Response{StatusCode: status, Body: http.NoBody, Request: r}, nil
}

// nowhere is a resolver that knows no name at all.
type nowhere struct{}

func (nowhere) LookupTXT(_ context.Context, name string) ([]string, error)  { return nil, absent(name) }
func (nowhere) LookupMX(_ context.Context, name string) ([]*net.MX, error)  { return nil, absent(name) }
func (nowhere) LookupHost(_ context.Context, name string) ([]string, error) { return nil, absent(name) }
func (nowhere) LookupNS(_ context.Context, name string) ([]*net.NS, error)  { return nil, absent(name) }
