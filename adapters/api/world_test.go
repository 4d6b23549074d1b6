package api_test

import (
	"bytes"
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/cleversender/cleversender/adapters/address"
	"github.com/cleversender/cleversender/adapters/api"
	"github.com/cleversender/cleversender/adapters/csvimport"
	"github.com/cleversender/cleversender/adapters/eventlog"
	"github.com/cleversender/cleversender/adapters/eventlog/memory"
	"github.com/cleversender/cleversender/adapters/readmodel"
	models "github.com/cleversender/cleversender/adapters/readmodel/memory"
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

// world is an installation in memory with two accounts.
type world struct {
	t       *testing.T
	log     *eventlog.Journal
	keys    *keys
	hosted  *hosted
	people  *directory
	private *privateKeys
	server  *api.Server
	logged  *bytes.Buffer
	clock   clock
	account domain.ID
	// Tokens: of the account; of the account and the operator; of another account.
	own, operator, stranger string
	findings                []api.PreflightFinding
	links                   bool  // Preflight was asked to fetch them
	broken                  error // what Freeze, Import and Bundle fail with
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
		t: t, keys: &keys{by: map[personal.KeyRef]cipher.AEAD{}}, people: &directory{by: map[string]domain.ID{}, gone: map[string]bool{}},
		private: &privateKeys{by: map[string]string{}}, logged: &bytes.Buffer{}, clock: clock{at: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)},
		own: "cs_own", operator: "cs_operator", stranger: "cs_stranger",
	}
	w.log = eventlog.NewJournal(memory.New(), catalog.All, w.keys, w.clock.tick)
	w.hosted = newHosted(t, w.log)
	w.server = api.New(api.Deps{
		Log: w.log, Models: w.hosted, Projections: w.hosted.status, Directory: w.people, PrivateKeys: w.private, Address: address.Forms,
		Import: w.importFile,
		ConfirmURL: func(_, person, list domain.ID) string {
			return "https://mail.example/confirm/" + person.String() + list.String()
		},
		Deliverable: deliverable,
		Held:        func(domain.ID) (string, time.Time) { return "window", time.Date(2030, 1, 2, 9, 0, 0, 0, time.UTC) },
		Preflight: func(_ context.Context, _ domain.ID, _ campaign.Settings, links bool) ([]api.PreflightFinding, error) {
			w.links = links
			return w.findings, w.broken
		},
		Freeze: func(_ context.Context, _ domain.ID, s campaign.Settings) (campaign.Content, error) {
			return campaign.Content{TemplateRevision: 1, SHA256: strings.Repeat("a", 64), Links: []string{"https://example.com"}}, w.broken
		},
		Check: func(c template.Content) error {
			if strings.Contains(c.HTML, "{% broken") {
				return domain.Refuse("template_invalid", "template, HTML, line 1: unknown tag")
			}
			return nil
		},
		Preview: func(_ context.Context, c template.Content, s api.Sample) (api.Rendered, error) {
			return api.Rendered{Subject: strings.ReplaceAll(c.Subject, "{{ name }}", s.Name), HTML: c.HTML, Text: c.Text}, nil
		},
		Bundle: func(context.Context, domain.ID, domain.ID, event.Position) ([]byte, error) {
			return []byte(`{"bundle":true}`), w.broken
		},
		RequestMessage: w.requestMessage,
		Now:            w.clock.tick, NewID: newID, Logger: slog.New(slog.NewTextHandler(w.logged, nil)), Version: api.Version{Version: "1.2.3"},
	})
	t.Cleanup(w.server.Close)
	w.account = w.seed("Own", map[string][]account.Scope{w.own: {account.ScopeAccount}, w.operator: account.Scopes})
	w.seed("Other", map[string][]account.Scope{w.stranger: {account.ScopeAccount}})
	return w
}

func (w *world) seed(name string, secrets map[string][]account.Scope) domain.ID {
	w.t.Helper()
	id := newID()
	run(w, id, commands.CreateAccount{AccountID: id, Name: name})
	for secret, scopes := range secrets {
		sum := sha256.Sum256([]byte(secret))
		run(w, id, commands.IssueToken{AccountID: id, Token: newID(), Hash: hex.EncodeToString(sum[:]), Scopes: scopes})
	}
	return id
}

func run[S commands.State[S, E], E any](w *world, account domain.ID, cmd commands.Command[S, E]) {
	w.t.Helper()
	if _, err := commands.Handle(w.t.Context(), w.log, commands.Request{ID: newID(), Account: account}, cmd); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) importFile(ctx context.Context, job api.ImportJob, file io.Reader) error {
	if w.broken != nil {
		return w.broken
	}
	importer := csvimport.Importer{Log: w.log, Directory: w.people.many(), Address: address.Forms, Now: w.clock.now}
	_, err := importer.Import(ctx, csvimport.Options{
		Import: job.Import, Account: job.Account, Actor: job.Actor, List: job.List, Purposes: job.Purposes,
		Source: job.Source, Charset: job.Charset, Delimiter: job.Delimiter, Mapping: job.Mapping,
	}, file)
	return err
}

// requestMessage takes the address's first letter for its owner.
func (w *world) requestMessage(ctx context.Context, req commands.Request, id domain.ID, m message.Requested) (commands.Done, error) {
	email, _ := m.To.Reveal()
	m.TemplateRevision, m.SHA256 = 1, strings.Repeat("a", 64)
	return commands.Handle(ctx, w.log, req, commands.RequestMessage{Message: id, Person: domain.ID{5, email[0]}, Request: m})
}

// answer is what the API said.
type answer struct {
	status int
	header http.Header
	body   []byte
}

func (a answer) code() string {
	var p api.Problem
	_ = json.Unmarshal(a.body, &p)
	return p.Code
}

func (a answer) position() string { return a.header.Get(api.PositionHeader) }

// raw sends a request with a token ("" for none); header is names and values.
func (w *world) raw(token, method, path, body string, header ...string) answer {
	r := httptest.NewRequest(method, "/api/v1"+path, strings.NewReader(body))
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	rec := httptest.NewRecorder()
	w.server.ServeHTTP(rec, r)
	return answer{rec.Code, rec.Header(), rec.Body.Bytes()}
}

// call is raw with the account's token; it wants the status, and decodes into T.
func call[T any](w *world, method, path string, in any, want int, header ...string) T {
	w.t.Helper()
	body := ""
	if in != nil {
		raw, err := json.Marshal(in)
		if err != nil {
			w.t.Fatal(err)
		}
		body = string(raw)
	}
	got := w.raw(w.own, method, path, body, header...)
	if got.status != want {
		w.t.Fatalf("%s %s: %d, want %d: %s", method, path, got.status, want, got.body)
	}
	var out T
	if len(got.body) > 0 {
		if err := json.Unmarshal(got.body, &out); err != nil {
			w.t.Fatalf("%s %s: %v in %s", method, path, err, got.body)
		}
	}
	return out
}

func (w *world) head() event.Position {
	w.t.Helper()
	at, err := w.log.Head(w.t.Context())
	if err != nil {
		w.t.Fatal(err)
	}
	return at
}

func (w *world) list(name string) domain.ID {
	w.t.Helper()
	return call[api.ListCreated](w, "POST", "/lists", api.ListNew{Name: name}, 201).ID
}

func (w *world) subscriber(email string, list domain.ID) domain.ID {
	w.t.Helper()
	return call[api.SubscriberID](w, "POST", "/subscribers", api.SubscriberNew{Email: email, Name: "Ann", List: list}, 201).ID
}

// clock goes on by a second whenever it is ticked.
type clock struct {
	mu sync.Mutex
	at time.Time
}

func (c *clock) tick() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(time.Second)
	return c.at
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
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

// directory is one in memory.
type directory struct {
	mu   sync.Mutex
	by   map[string]domain.ID
	gone map[string]bool // suppressed
}

func (d *directory) Reserve(_ context.Context, account domain.ID, address string) (domain.ID, bool, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	key := account.String() + address
	if d.gone[key] {
		return domain.ID{}, true, nil
	}
	if _, ok := d.by[key]; !ok {
		d.by[key] = newID()
	}
	return d.by[key], false, nil
}

func (d *directory) Find(_ context.Context, account domain.ID, address string) (domain.ID, bool, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	id, ok := d.by[account.String()+address]
	return id, ok, nil
}

func (d *directory) Move(_ context.Context, account domain.ID, old, new string, person domain.ID) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if held, ok := d.by[account.String()+new]; ok && held != person {
		return domain.Refuse("address_taken", "another subscriber has this address")
	}
	delete(d.by, account.String()+old)
	d.by[account.String()+new] = person
	return nil
}

type manyAtOnce struct{ *directory }

func (d *directory) many() csvimport.Directory { return manyAtOnce{d} }

func (d manyAtOnce) Reserve(ctx context.Context, account domain.ID, addresses []string) ([]csvimport.Reservation, error) {
	out := make([]csvimport.Reservation, len(addresses))
	for i, a := range addresses {
		_, known, _ := d.Find(ctx, account, a)
		person, suppressed, _ := d.directory.Reserve(ctx, account, a)
		out[i] = csvimport.Reservation{Person: person, Known: known, Suppressed: suppressed}
	}
	return out, nil
}

// hosted is read models that follow the log when they are asked.
type hosted struct {
	t      *testing.T
	log    *eventlog.Journal
	mu     sync.Mutex
	models map[string]readmodel.Model
	stuck  bool          // WaitFor waits until its context ends
	waited []string      // projections waited for
	begun  chan struct{} // Rebuild says that it has begun, and waits for end
	end    chan error
}

func newHosted(t *testing.T, log *eventlog.Journal) *hosted {
	h := &hosted{t: t, log: log, models: map[string]readmodel.Model{}, begun: make(chan struct{}, 1), end: make(chan error)}
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

func (h *hosted) Reader(name string) projections.Reader {
	h.mu.Lock()
	defer h.mu.Unlock()
	ctx := context.Background()
	for _, p := range questions.All {
		if p.Name != name {
			continue
		}
		m := h.models[name]
		from, err := m.Position(ctx)
		head, _ := h.log.Head(ctx)
		for page, e := range h.log.Follow(ctx, from, p.Types, 500) {
			if err == nil {
				err = e
			}
			if err == nil {
				err = m.Apply(ctx, readmodel.Batch{From: from, Next: page.Next, Fold: func(rows projections.Rows) error {
					return p.Fold(rows, page.Events)
				}})
			}
			if from = page.Next; err != nil || from >= head {
				break
			}
		}
		if err != nil {
			h.t.Error(err)
		}
		return m
	}
	h.t.Error("no projection is called " + name)
	return nil
}

func (h *hosted) WaitFor(ctx context.Context, name string, _ event.Position) error {
	h.mu.Lock()
	h.waited = append(h.waited, name)
	h.mu.Unlock()
	if h.stuck {
		<-ctx.Done()
	}
	return ctx.Err()
}

func (h *hosted) Rebuild(ctx context.Context, name string, progress func(done, head event.Position)) error {
	progress(1, 2)
	h.begun <- struct{}{}
	select {
	case err := <-h.end:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (h *hosted) status(context.Context) ([]api.Projection, error) {
	var out []api.Projection
	for _, p := range questions.All {
		out = append(out, api.Projection{Name: p.Name, Version: p.Version, Serving: p.ID()})
	}
	return out, nil
}

var _ api.Models = (*hosted)(nil)
