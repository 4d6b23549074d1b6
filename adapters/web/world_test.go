package web_test

import (
	"bytes"
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/cleversender/cleversender/adapters/address"
	"github.com/cleversender/cleversender/adapters/csvimport"
	"github.com/cleversender/cleversender/adapters/eventlog"
	"github.com/cleversender/cleversender/adapters/eventlog/memory"
	"github.com/cleversender/cleversender/adapters/liquid"
	"github.com/cleversender/cleversender/adapters/readmodel"
	models "github.com/cleversender/cleversender/adapters/readmodel/memory"
	"github.com/cleversender/cleversender/adapters/web"
	"github.com/cleversender/cleversender/commands"
	"github.com/cleversender/cleversender/domain"
	"github.com/cleversender/cleversender/domain/account"
	"github.com/cleversender/cleversender/domain/campaign"
	"github.com/cleversender/cleversender/domain/catalog"
	"github.com/cleversender/cleversender/domain/event"
	"github.com/cleversender/cleversender/domain/message"
	"github.com/cleversender/cleversender/domain/personal"
	"github.com/cleversender/cleversender/domain/template"
	"github.com/cleversender/cleversender/projections"
	questions "github.com/cleversender/cleversender/projections/catalog"
)

func newID() domain.ID { return domain.ID(uuid.Must(uuid.NewV7())) }

// world is an installation in memory with two accounts, and a browser that is
// signed in to the first.
type world struct {
	t        *testing.T
	log      *eventlog.Journal
	keys     *keys
	people   *directory
	caught   *caught
	logged   *bytes.Buffer
	now      time.Time
	site     *httptest.Server
	browser  *http.Client
	account  domain.ID
	other    domain.ID
	findings []web.Finding
	broken   error // what Freeze fails with
}

// deliverable knows one mail server.
func deliverable(s campaign.Settings) error {
	if s.Server != "" && s.Server != "relay" {
		return domain.Refuse("unknown_server", "no mail server has this name")
	}
	return nil
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{
		t: t, keys: &keys{by: map[personal.KeyRef]cipher.AEAD{}}, people: &directory{by: map[string]domain.ID{}},
		caught: &caught{}, logged: &bytes.Buffer{}, now: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC),
	}
	w.log = eventlog.NewJournal(memory.New(), catalog.All, w.keys, func() time.Time { return w.now })
	w.site = httptest.NewServer(web.New(w.deps()))
	t.Cleanup(w.site.Close)
	w.account, w.other = w.seed("Own", "cs_own"), w.seed("Other", "cs_other")
	w.browser = w.newBrowser()
	w.post("/login", 200, "token", "cs_own")
	return w
}

func (w *world) deps() web.Deps {
	return web.Deps{
		Log: w.log, Models: newHosted(w.t, w.log),
		Find: func(ctx context.Context, account domain.ID, raw string) (domain.ID, bool, error) {
			_, normal, err := address.Forms(raw)
			if err != nil {
				return domain.ID{}, false, err
			}
			return w.people.find(account, normal)
		},
		Import: func(ctx context.Context, job web.ImportJob, file io.Reader) error {
			importer := csvimport.Importer{Log: w.log, Directory: w.people, Address: address.Forms, Now: func() time.Time { return w.now }}
			_, err := importer.Import(ctx, csvimport.Options{
				Import: job.Import, Account: job.Account, Actor: job.Actor, List: job.List, Purposes: job.Purposes, Source: job.Source,
			}, file)
			return err
		},
		Deliverable: deliverable,
		Held:        func(domain.ID) (string, time.Time) { return "window", time.Date(2030, 1, 2, 9, 0, 0, 0, time.UTC) },
		Preflight: func(context.Context, domain.ID, campaign.Settings) ([]web.Finding, error) {
			return w.findings, nil
		},
		Freeze: func(context.Context, domain.ID, campaign.Settings) (campaign.Content, error) {
			return campaign.Content{TemplateRevision: 1, SHA256: strings.Repeat("a", 64), Links: []string{"https://example.com/one"}}, w.broken
		},
		Check: func(c template.Content) error {
			_, err := liquid.Compile(c.Subject, c.HTML, c.Text)
			return err
		},
		Preview: func(_ context.Context, c template.Content, s web.Sample) (web.Rendered, error) {
			t, err := liquid.Compile(c.Subject, c.HTML, c.Text)
			if err != nil {
				return web.Rendered{}, err
			}
			m, err := t.Render(liquid.Vars{Name: s.Name, Email: s.Email, Attributes: s.Attributes}, liquid.DefaultLimits)
			return web.Rendered(m), err
		},
		Bundle: func(context.Context, domain.ID, domain.ID, event.Position) ([]byte, error) {
			return []byte(`{"bundle":true}`), nil
		},
		RequestMessage: w.requestMessage,
		Mailbox:        w.caught, Now: func() time.Time { return w.now }, NewID: newID,
		Logger: slog.New(slog.NewTextHandler(w.logged, nil)),
	}
}

// requestMessage takes a template for the same forever.
func (w *world) requestMessage(ctx context.Context, req commands.Request, id domain.ID, m message.Requested) (commands.Done, error) {
	email, _ := m.To.Reveal()
	_, normal, err := address.Forms(email)
	if err != nil {
		return commands.Done{}, err
	}
	m.TemplateRevision, m.SHA256 = 1, strings.Repeat("a", 64)
	return commands.Handle(ctx, w.log, req, commands.RequestMessage{Message: id, Person: w.people.reserve(req.Account, normal), Request: m})
}

func (w *world) seed(name, secret string) domain.ID {
	w.t.Helper()
	id := newID()
	run(w, id, commands.CreateAccount{AccountID: id, Name: name})
	run(w, id, commands.IssueToken{AccountID: id, Token: newID(), Hash: hashOf(secret), Scopes: []account.Scope{account.ScopeAccount}})
	return id
}

func hashOf(secret string) string {
	sum := sha256.Sum256([]byte(secret))
	return hex.EncodeToString(sum[:])
}

func run[S commands.State[S, E], E any](w *world, account domain.ID, cmd commands.Command[S, E]) {
	w.t.Helper()
	if _, err := commands.Handle(w.t.Context(), w.log, commands.Request{ID: newID(), Account: account}, cmd); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) newBrowser() *http.Client {
	jar, err := cookiejar.New(nil)
	if err != nil {
		w.t.Fatal(err)
	}
	return &http.Client{Jar: jar}
}

// page is what the browser got in the end, and where that was.
type page struct {
	status int
	header http.Header
	body   string
	at     *url.URL
}

// id is the first id in the path.
func (p page) id() domain.ID {
	for part := range strings.SplitSeq(p.at.Path, "/") {
		if id, err := domain.ParseID(part); err == nil && !id.IsZero() {
			return id
		}
	}
	return domain.ID{}
}

func (w *world) do(r *http.Request) page {
	w.t.Helper()
	answer, err := w.browser.Do(r)
	if err != nil {
		w.t.Fatal(err)
	}
	defer func() { _ = answer.Body.Close() }()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		w.t.Fatal(err)
	}
	return page{answer.StatusCode, answer.Header, string(body), answer.Request.URL}
}

func (w *world) want(p page, status int) page {
	w.t.Helper()
	if p.status != status {
		w.t.Fatalf("%s: %d, want %d\n%s\n%s", p.at, p.status, status, p.body, w.logged)
	}
	return p
}

func (w *world) get(path string, status int) page {
	w.t.Helper()
	r, err := http.NewRequest(http.MethodGet, w.site.URL+path, nil)
	if err != nil {
		w.t.Fatal(err)
	}
	return w.want(w.do(r), status)
}

// post sends a form; fields are names and values.
func (w *world) post(path string, status int, fields ...string) page {
	w.t.Helper()
	form := url.Values{}
	for i := 0; i < len(fields); i += 2 {
		form.Add(fields[i], fields[i+1])
	}
	r, err := http.NewRequest(http.MethodPost, w.site.URL+path, strings.NewReader(form.Encode()))
	if err != nil {
		w.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return w.want(w.do(r), status)
}

// has fails the test unless the page has all the texts.
func (w *world) has(p page, texts ...string) {
	w.t.Helper()
	for _, text := range texts {
		if !strings.Contains(p.body, text) {
			w.t.Errorf("%s lacks %q\n%s", p.at, text, p.body)
		}
	}
}

func (w *world) lacks(p page, texts ...string) {
	w.t.Helper()
	for _, text := range texts {
		if strings.Contains(p.body, text) {
			w.t.Errorf("%s has %q\n%s", p.at, text, p.body)
		}
	}
}

// add puts a person on a list.
func (w *world) add(account, list domain.ID, email, name string) domain.ID {
	w.t.Helper()
	_, normal, err := address.Forms(email)
	if err != nil {
		w.t.Fatal(err)
	}
	id := w.people.reserve(account, normal)
	run(w, account, commands.AddSubscriber{
		Person: id, Email: personal.Of(email), Name: personal.Of(name),
		Attributes: personal.FieldsOf(map[string]string{"city": "Malmö"}), List: list, Source: "api",
	})
	return id
}

// keys is a keyring in memory; a nil key was destroyed.
type keys struct {
	mu sync.Mutex
	by map[personal.KeyRef]cipher.AEAD
}

func (k *keys) Ensure(_ context.Context, refs []personal.KeyRef) ([]cipher.AEAD, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	out := make([]cipher.AEAD, len(refs))
	for i, ref := range refs {
		if _, ok := k.by[ref]; !ok {
			var raw [32]byte
			_, _ = rand.Read(raw[:])
			block, _ := aes.NewCipher(raw[:])
			k.by[ref], _ = cipher.NewGCM(block)
		}
		out[i] = k.by[ref]
	}
	return out, nil
}

func (k *keys) Lookup(ctx context.Context, refs []personal.KeyRef) ([]cipher.AEAD, error) {
	return k.Ensure(ctx, refs)
}

func (k *keys) shred(person domain.ID) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, class := range personal.Classes {
		k.by[personal.KeyRef{Subject: person, Class: class}] = nil
	}
}

type directory struct {
	mu sync.Mutex
	by map[string]domain.ID
}

func (d *directory) reserve(account domain.ID, address string) domain.ID {
	d.mu.Lock()
	defer d.mu.Unlock()
	key := account.String() + address
	if _, ok := d.by[key]; !ok {
		d.by[key] = newID()
	}
	return d.by[key]
}

func (d *directory) find(account domain.ID, address string) (domain.ID, bool, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	id, found := d.by[account.String()+address]
	return id, found, nil
}

func (d *directory) Reserve(_ context.Context, account domain.ID, addresses []string) ([]csvimport.Reservation, error) {
	out := make([]csvimport.Reservation, len(addresses))
	for i, a := range addresses {
		_, known, _ := d.find(account, a)
		out[i] = csvimport.Reservation{Person: d.reserve(account, a), Known: known}
	}
	return out, nil
}

// hosted is read models that catch up with the log when they are asked.
type hosted struct {
	t      *testing.T
	log    *eventlog.Journal
	mu     sync.Mutex
	models map[string]readmodel.Model
}

func newHosted(t *testing.T, log *eventlog.Journal) *hosted {
	h := &hosted{t: t, log: log, models: map[string]readmodel.Model{}}
	store := models.New()
	for _, p := range questions.All {
		m, err := store.Open(t.Context(), p.ID(), p.Tables)
		if err != nil {
			t.Fatal(err)
		}
		h.models[p.Name] = m
	}
	return h
}

func (h *hosted) WaitFor(context.Context, string, event.Position) error { return nil }

func (h *hosted) Reader(name string) projections.Reader {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, p := range questions.All {
		if p.Name == name {
			if err := h.catchUp(p); err != nil {
				h.t.Error(err)
			}
			return h.models[name]
		}
	}
	h.t.Errorf("no projection is called %s", name)
	return nil
}

func (h *hosted) catchUp(p projections.Projection) error {
	ctx, m := context.Background(), h.models[p.Name]
	from, err := m.Position(ctx)
	if err != nil {
		return err
	}
	head, err := h.log.Head(ctx)
	if err != nil {
		return err
	}
	for page, err := range h.log.Follow(ctx, from, p.Types, 500) {
		if err != nil {
			return err
		}
		fold := func(rows projections.Rows) error { return p.Fold(rows, page.Events) }
		if err := m.Apply(ctx, readmodel.Batch{From: from, Next: page.Next, Fold: fold}); err != nil {
			return err
		}
		if from = page.Next; from >= head {
			return nil
		}
	}
	return nil
}

// caught is a mailbox with what a test puts into it.
type caught struct{ messages []web.Caught }

func (c *caught) put(data string) {
	c.messages = append(c.messages, web.Caught{
		Number: len(c.messages) + 1, At: time.Unix(0, 0), From: "news@example.org", To: []string{"zoe@example.org"}, Data: []byte(data),
	})
}

func (c *caught) Count() int { return len(c.messages) }

func (c *caught) Message(n int) (web.Caught, bool) {
	if n < 1 || n > len(c.messages) {
		return web.Caught{}, false
	}
	return c.messages[n-1], true
}

func (c *caught) Messages(before, limit int) []web.Caught {
	if before <= 0 {
		before = len(c.messages) + 1
	}
	var out []web.Caught
	for n := before - 1; n > 0 && len(out) < limit; n-- {
		out = append(out, c.messages[n-1])
	}
	return out
}
