package recipient_test

import (
	"bytes"
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/cleversender/cleversender/adapters/eventlog"
	"github.com/cleversender/cleversender/adapters/eventlog/memory"
	"github.com/cleversender/cleversender/adapters/recipient"
	"github.com/cleversender/cleversender/adapters/tracking"
	"github.com/cleversender/cleversender/commands"
	"github.com/cleversender/cleversender/domain"
	"github.com/cleversender/cleversender/domain/campaign"
	"github.com/cleversender/cleversender/domain/catalog"
	"github.com/cleversender/cleversender/domain/consent"
	"github.com/cleversender/cleversender/domain/event"
	"github.com/cleversender/cleversender/domain/personal"
	"github.com/cleversender/cleversender/domain/subscriber"
)

var now = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func newID() domain.ID { return domain.ID(uuid.Must(uuid.NewV7())) }

// keys is a keyring in memory; a nil key was destroyed.
type keys struct {
	mu    sync.Mutex
	by    map[personal.KeyRef]cipher.AEAD
	asked int // for how many Ensure was asked
}

func (k *keys) Ensure(_ context.Context, refs []personal.KeyRef) ([]cipher.AEAD, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.asked += len(refs)
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

// AtHand has those that were asked for before.
func (k *keys) AtHand(refs []personal.KeyRef) ([]cipher.AEAD, bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	out := make([]cipher.AEAD, len(refs))
	for i, ref := range refs {
		if out[i] = k.by[ref]; out[i] == nil {
			return nil, false
		}
	}
	return out, true
}

func (k *keys) Lookup(ctx context.Context, refs []personal.KeyRef) ([]cipher.AEAD, error) {
	return k.Ensure(ctx, refs)
}

// world is one account with a list, a started campaign and a person on it.
type world struct {
	t       testing.TB
	keys    *keys
	log     *faultyLog
	signer  *tracking.Signer
	handler *recipient.Handler
	metrics *prometheus.Registry
	logged  *bytes.Buffer
	allowed recipient.Permission
	asked   func(recipient.Who) // before consent is read; nil: nothing

	consentFault error

	account, list, campaign, person domain.ID
	started                         event.Position // the campaign
}

// faultyLog is a journal whose bulk appends can be made to fail.
type faultyLog struct {
	*eventlog.Journal
	mu   sync.Mutex
	fail func(write func() ([]eventlog.Result, []error), n int) ([]eventlog.Result, []error)
}

func (l *faultyLog) AppendBulk(ctx context.Context, writes []eventlog.Write) ([]eventlog.Result, []error) {
	l.mu.Lock()
	fail := l.fail
	l.mu.Unlock()
	write := func() ([]eventlog.Result, []error) { return l.Journal.AppendBulk(ctx, writes) }
	if fail == nil {
		return write()
	}
	return fail(write, len(writes))
}

func newWorld(t testing.TB) *world {
	t.Helper()
	w := &world{
		t: t, keys: &keys{by: map[personal.KeyRef]cipher.AEAD{}}, metrics: prometheus.NewRegistry(), logged: &bytes.Buffer{},
		allowed: recipient.Permission{Opens: true, Clicks: true},
		account: newID(), list: newID(), campaign: newID(), person: newID(),
	}
	w.log = &faultyLog{Journal: eventlog.NewJournal(memory.New(), catalog.All, w.keys, func() time.Time { return now })}
	var err error
	if w.signer, err = tracking.NewSigner(map[byte][]byte{1: bytes.Repeat([]byte{7}, 32)}, 1); err != nil {
		t.Fatal(err)
	}
	w.handler = recipient.New(recipient.Deps{
		Log: w.log,
		Parse: func(text string, at time.Time) (recipient.Token, error) {
			tok, err := w.signer.Parse(text, at)
			return recipient.Token{
				Kind: recipient.Kind(tok.Kind), Campaign: tok.Campaign, Ordinal: tok.Ordinal, Person: tok.Person,
				Account: tok.Account, Link: tok.Link, List: tok.List,
			}, err
		},
		Permissions: func(_ context.Context, who []recipient.Who) ([]recipient.Permission, error) {
			for _, one := range who {
				if w.asked != nil {
					w.asked(one)
				}
			}
			return slices.Repeat([]recipient.Permission{w.allowed}, len(who)), w.consentFault
		},
		ListName:       func(context.Context, domain.ID, domain.ID) (string, error) { return "Garden & Sons <news>", nil },
		TrustedProxies: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")},
		Now:            func() time.Time { return now }, NewID: newID,
		Logger: slog.New(slog.NewTextHandler(w.logged, nil)), Metrics: w.metrics,
	})
	t.Cleanup(w.handler.Close)
	w.append(subscriber.Stream(w.person), w.person,
		subscriber.Added{Email: personal.Of("ann@example.com"), Name: personal.Of("Ann"), Source: subscriber.SourceAPI},
		subscriber.Joined{List: w.list},
		consent.Given{Purpose: consent.Mailing, List: w.list, Method: consent.ByForm})
	w.append(campaign.Stream(w.campaign), domain.ID{},
		campaign.Drafted{}, campaign.Started{Content: campaign.Content{
			TemplateRevision: 1, Links: []string{"https://example.com/spring?a=1&b=2", "javascript:alert(1)", "ftp://example.com/x", "https://example.com/é?ü=%C3%9F", "https:///nowhere"},
		}})
	w.started = w.head()
	return w
}

func (w *world) append(stream string, subject domain.ID, events ...any) {
	w.t.Helper()
	past, err := w.log.Load(w.t.Context(), stream)
	if err != nil {
		w.t.Fatal(err)
	}
	drafts := make([]event.Draft, len(events))
	for i, e := range events {
		drafts[i] = event.Draft{ID: newID(), Meta: event.Meta{Account: w.account, Subject: subject}, Data: e}
	}
	if _, err := w.log.Record(w.t.Context(), stream, uint64(len(past)), drafts); err != nil {
		w.t.Fatal(err)
	}
}

// token mints one for the person; change may alter it before it is signed.
func (w *world) token(kind tracking.Kind, change ...func(*tracking.Token)) string {
	tok := tracking.Token{Kind: kind, Campaign: w.campaign, Ordinal: 3, Person: w.person, Account: w.account, List: w.list}
	for _, c := range change {
		c(&tok)
	}
	return w.signer.Mint(tok)
}

func (w *world) do(method, path, body string, header ...string) *http.Response {
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	r.RemoteAddr = "198.51.100.7:4711"
	r.Header.Set("User-Agent", "Mozilla/5.0 (X11; Linux x86_64) Thunderbird/140.0")
	if method == http.MethodPost {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	rec := httptest.NewRecorder()
	w.handler.ServeHTTP(rec, r)
	return rec.Result()
}

// since lists the events after a position, open.
func (w *world) since(after event.Position) []event.Recorded {
	w.t.Helper()
	for page, err := range w.log.Follow(w.t.Context(), after, nil, 10_000) {
		if err == nil {
			err = w.log.Open(w.t.Context(), page.Events)
		}
		if err != nil {
			w.t.Fatal(err)
		}
		return page.Events
	}
	return nil
}

func (w *world) head() event.Position {
	w.t.Helper()
	at, err := w.log.Head(w.t.Context())
	if err != nil {
		w.t.Fatal(err)
	}
	return at
}

func (w *world) consent(p consent.Purpose) consent.Status {
	w.t.Helper()
	past, err := w.log.Load(w.t.Context(), subscriber.Stream(w.person))
	if err != nil {
		w.t.Fatal(err)
	}
	var s subscriber.Subscriber
	for _, e := range past {
		s = s.Evolve(e.Data.(subscriber.Event))
	}
	return s.Consent(p, w.list).Status
}

// hits is what the metric counts.
func (w *world) hits(kind, result string) float64 {
	w.t.Helper()
	families, err := w.metrics.Gather()
	if err != nil {
		w.t.Fatal(err)
	}
	for _, f := range families {
		for _, m := range f.GetMetric() {
			if l := m.GetLabel(); l[0].GetValue() == kind && l[1].GetValue() == result {
				return m.GetCounter().GetValue()
			}
		}
	}
	return 0
}

func (w *world) erase() {
	w.append(subscriber.Stream(w.person), w.person, subscriber.Erased{Request: newID()})
}

func text(t *testing.T, r *http.Response) string {
	t.Helper()
	raw, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

func plain(t personal.Text) string {
	s, _ := t.Reveal()
	return s
}

var _ recipient.Log = (*faultyLog)(nil)
var _ commands.Log = (*faultyLog)(nil)
