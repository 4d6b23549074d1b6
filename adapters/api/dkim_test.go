package api_test

import (
	"context"
	"encoding/base64"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/cleversender/cleversender/adapters/api"
	"github.com/cleversender/cleversender/commands"
	"github.com/cleversender/cleversender/domain"
	"github.com/cleversender/cleversender/domain/signing"
)

// privateKeys is one in memory, whose keys are their own names; "" was destroyed.
type privateKeys struct {
	mu sync.Mutex
	by map[string]string
}

func (p *privateKeys) Make(_ context.Context, account domain.ID, name, selector string, a signing.Algorithm, pem string) (string, signing.Algorithm, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	at := account.String() + name + selector
	key, kept := p.by[at]
	switch {
	case kept && key == "":
		return "", "", commands.ErrDKIMRetired
	case kept && pem != "" && key != pem:
		return "", "", commands.ErrExists
	case !kept && pem != "":
		key = pem
	case !kept:
		key = at
	}
	p.by[at] = key
	return base64.StdEncoding.EncodeToString([]byte(key)), a, nil
}

func (p *privateKeys) Destroy(_ context.Context, account domain.ID, name, selector string) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.by[account.String()+name+selector] = ""
	return nil
}

// A domain gets a key and its record; the key signs when it is activated, and
// is destroyed when it is retired.
func TestDKIMWay(t *testing.T) {
	w := newWorld(t)
	made := call[api.DKIMKeyMade](w, "POST", "/dkim-keys", api.DKIMKeyNew{Domain: "News.Bücher.example", Selector: "S1"}, 201)
	if made.Domain != "news.xn--bcher-kva.example" || made.Selector != "s1" || made.Algorithm != signing.RSA ||
		made.Record.Name != "s1._domainkey.news.xn--bcher-kva.example" || !strings.HasPrefix(made.Record.Value, "v=DKIM1; k=rsa; p=") {
		t.Fatalf("made %+v", made)
	}
	again := w.raw(w.own, "POST", "/dkim-keys", `{"domain":"news.bücher.example","selector":"s1"}`)
	if again.status != 201 || !strings.Contains(string(again.body), made.Record.Value[18:]) {
		t.Errorf("asked twice: %s", again.body)
	}
	dated := call[api.DKIMKeyMade](w, "POST", "/dkim-keys", api.DKIMKeyNew{Domain: "books.example", PrivateKey: "brought"}, 201)
	if dated.Selector != "cs20260301" || dated.Record.Value != "v=DKIM1; k=rsa; p="+base64.StdEncoding.EncodeToString([]byte("brought")) {
		t.Errorf("made %+v", dated)
	}
	path := "/dkim-keys/" + made.Domain + "/" + made.Selector
	var states []signing.State
	for _, step := range []string{"", "/activate", "/retire"} {
		wait := ""
		if step != "" {
			wait = "?wait_for=" + w.raw(w.own, "POST", path+step, "").position()
		}
		states = append(states, call[api.DKIMKey](w, "GET", path+wait, nil, 200).State)
	}
	if !slices.Equal(states, []signing.State{signing.Created, signing.Active, signing.Retired}) {
		t.Errorf("states %v", states)
	}
	if w.private.by[w.account.String()+made.Domain+made.Selector] != "" {
		t.Error("the private key of a retired one is still there")
	}
	all := call[api.Page[api.DKIMKey]](w, "GET", "/dkim-keys", nil, 200)
	if len(all.Items) != 2 || all.Items[0].Domain != "books.example" || all.Items[1].RetiredAt.IsZero() {
		t.Errorf("listed %+v", all.Items)
	}
}

// What no key can be made for is refused before one is made.
func TestDKIMRefusals(t *testing.T) {
	w := newWorld(t)
	call[any](w, "POST", "/dkim-keys", api.DKIMKeyNew{Domain: "books.example", Selector: "s1"}, 201)
	call[any](w, "POST", "/dkim-keys", api.DKIMKeyNew{Domain: "books.example", Selector: "s2"}, 201)
	call[any](w, "POST", "/dkim-keys/books.example/s2/retire", nil, 204)
	before := len(w.private.by)
	for _, c := range []struct {
		token, path, body string
		status            int
		code              string
	}{
		{w.own, "", `{"domain":"example"}`, 422, "bad_domain"},
		{w.own, "", `{"domain":"a b.example"}`, 422, "bad_domain"},
		{w.own, "", `{"domain":"x@books.example"}`, 422, "bad_domain"},
		{w.own, "", `{"domain":"books.example","selector":"a_b"}`, 422, "bad_selector"},
		{w.own, "", `{"domain":"books.example","algorithm":"dsa"}`, 422, "unknown_algorithm"},
		{w.own, "", `{"domain":"books.example","selector":"s1","private_key":"other"}`, 409, "already_exists"},
		{w.own, "", `{"domain":"books.example","selector":"s2"}`, 409, "dkim_key_retired"},
		{w.own, "/books.example/s2/activate", ``, 409, "dkim_key_retired"},
		{w.own, "/books.example/s3/activate", ``, 404, "not_found"},
		{w.own, "/other.example/s1/retire", ``, 404, "not_found"},
		{w.stranger, "/books.example/s1/activate", ``, 404, "not_found"},
		{w.stranger, "/books.example/s1/retire", ``, 404, "not_found"},
	} {
		if got := w.raw(c.token, "POST", "/dkim-keys"+c.path, c.body); got.status != c.status || got.code() != c.code {
			t.Errorf("%s %s: %d %s", c.path, c.body, got.status, got.body)
		}
	}
	if len(w.private.by) != before {
		t.Error("a key was made")
	}
	if got := w.raw(w.stranger, "GET", "/dkim-keys/books.example/s1", ""); got.status != 404 {
		t.Errorf("shown to a stranger: %s", got.body)
	}
	if got := w.raw(w.stranger, "GET", "/dkim-keys", ""); !strings.Contains(string(got.body), `"items":[]`) {
		t.Errorf("listed for a stranger: %s", got.body)
	}
}
