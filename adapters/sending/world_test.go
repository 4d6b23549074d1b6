package sending_test

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cleversender/cleversender/adapters/eventlog"
	"github.com/cleversender/cleversender/adapters/eventlog/memory"
	"github.com/cleversender/cleversender/adapters/sending"
	"github.com/cleversender/cleversender/commands"
	"github.com/cleversender/cleversender/domain"
	"github.com/cleversender/cleversender/domain/campaign"
	"github.com/cleversender/cleversender/domain/catalog"
	"github.com/cleversender/cleversender/domain/consent"
	"github.com/cleversender/cleversender/domain/delivery"
	"github.com/cleversender/cleversender/domain/event"
	"github.com/cleversender/cleversender/domain/personal"
	"github.com/cleversender/cleversender/domain/subscriber"
	"github.com/cleversender/cleversender/projections/audience"
)

// world is a log with a started campaign, the people on its list, and a server
// that counts what it takes.
type world struct {
	t        testing.TB
	journal  *eventlog.Journal
	account  domain.ID
	list     domain.ID
	campaign domain.ID
	people   []domain.ID
	sink     *sink
	requests atomic.Int64
}

// newWorld has n people who agreed to mail, and a campaign that is a draft.
func newWorld(t testing.TB, n int) *world {
	root := domain.ID{0: 1}
	w := &world{
		t: t, account: root.Derive("account"), list: root.Derive("list"), campaign: root.Derive("campaign"),
		journal: eventlog.NewJournal(memory.New(), catalog.All, keys{}, time.Now),
		sink:    &sink{took: map[string]int{}},
	}
	for i := range n {
		id := domain.ID{0: 2, 14: byte(i >> 8), 15: byte(i)}
		w.people = append(w.people, id)
		w.append(subscriber.Stream(id), id,
			subscriber.Added{Email: personal.Of(address(i)), Name: personal.Of(fmt.Sprint("Name ", i)), Source: subscriber.SourceAPI},
			consent.Given{Purpose: consent.Mailing, List: w.list, Method: consent.ByAPI})
	}
	w.append(campaign.Stream(w.campaign), domain.ID{}, campaign.Drafted{Settings: campaign.Settings{
		Name: "news", Lists: []domain.ID{w.list}, Template: root.Derive("template"), FromEmail: "news@example.com",
	}})
	return w
}

func address(i int) string { return fmt.Sprintf("p%d@mail%d.example.com", i, i) }

// append adds to the end of a stream, as somebody else than the worker does.
func (w *world) append(stream string, subject domain.ID, data ...any) event.Position {
	w.t.Helper()
	past, err := w.journal.Load(context.Background(), stream)
	if err != nil {
		w.t.Fatal(err)
	}
	n := w.requests.Add(1)
	drafts := make([]event.Draft, len(data))
	for i, d := range data {
		drafts[i] = event.Draft{
			ID: w.account.Derive(fmt.Sprint(n, "/", i)), Data: d,
			Meta: event.Meta{Account: w.account, Subject: subject},
		}
	}
	result, err := w.journal.Append(context.Background(), stream, uint64(len(past)), drafts...)
	if err != nil {
		w.t.Fatal(err)
	}
	return result.Position
}

func (w *world) ask(c commands.Command[campaign.Campaign, campaign.Event]) {
	w.t.Helper()
	req := commands.Request{ID: w.account.Derive(fmt.Sprint("request ", w.requests.Add(1))), Account: w.account}
	if _, err := commands.Handle(context.Background(), w.journal, req, c); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) start() { w.ask(commands.StartCampaign{Campaign: w.campaign, Content: content}) }

func (w *world) revoke(i int) {
	w.append(subscriber.Stream(w.people[i]), w.people[i],
		consent.Revoked{Purpose: consent.Mailing, List: w.list, Method: consent.ByAPI})
}

func (w *world) state() campaign.Campaign {
	o, err := commands.Own[campaign.Campaign, campaign.Event](context.Background(), w.journal, w.account, campaign.Stream(w.campaign))
	if err != nil {
		w.t.Fatal(err)
	}
	return o.State
}

// events lists what is in the campaign's segments, in order.
func (w *world) events() []event.Recorded {
	var all []event.Recorded
	for k := 0; ; k++ {
		past, err := w.journal.Load(context.Background(), delivery.Stream(w.campaign, k))
		if err != nil {
			w.t.Fatal(err)
		}
		if len(past) == 0 {
			return all
		}
		all = append(all, past...)
	}
}

// options are a worker's: small segments and windows, so that little shows much.
func (w *world) options() sending.Options {
	return sending.Options{
		Journal: w.journal, Audience: newView(w), Composer: composer{}, Transport: w.sink,
		SegmentSize: 4, Window: 3, Parallel: 2, Connections: 2, Lease: 30 * time.Second,
		Retries: []time.Duration{2 * time.Second, 10 * time.Second, 30 * time.Second},
	}
}

// run starts a worker in the bubble; the test ends with stop.
func run(t testing.TB, o sending.Options) (s *sending.Sender, stop func()) {
	s = sending.New(o)
	var ran sync.WaitGroup
	ran.Go(func() {
		if err := s.Run(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return s, func() {
		if err := s.Stop(context.Background()); err != nil {
			t.Error(err)
		}
		ran.Wait()
	}
}

// finish waits, in the bubble's time, until the campaign is over.
func (w *world) finish() campaign.Campaign {
	w.t.Helper()
	for range 5000 {
		if is := w.state(); is.Over() {
			return is
		}
		time.Sleep(time.Second)
		synctest.Wait()
	}
	w.t.Fatal("the campaign does not come to an end")
	return campaign.Campaign{}
}

var content = campaign.Content{TemplateRevision: 1, SHA256: hex.EncodeToString(make([]byte, 32))}

// keys derives a key for everybody, and keeps none.
type keys struct{}

func (keys) Ensure(_ context.Context, refs []personal.KeyRef) ([]cipher.AEAD, error) {
	out := make([]cipher.AEAD, len(refs))
	for i, r := range refs {
		sum := sha256.Sum256(append(r.Subject[:], byte(r.Class)))
		block, err := aes.NewCipher(sum[:])
		if err != nil {
			return nil, err
		}
		if out[i], err = cipher.NewGCM(block); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func (k keys) Lookup(ctx context.Context, refs []personal.KeyRef) ([]cipher.AEAD, error) {
	return k.Ensure(ctx, refs)
}

// composer puts the address alone into a message.
type composer struct{}

func (composer) Freeze(context.Context, domain.ID, campaign.Settings) (campaign.Content, error) {
	return content, nil
}

func (composer) Compile(context.Context, sending.Mailing) (sending.Mailer, error) {
	return composer{}, nil
}

func (composer) Message(_ context.Context, dst []byte, r sending.Recipient) (sending.Message, error) {
	return sending.Message{From: "news@example.com", To: r.Email, Data: append(dst, r.Name...)}, nil
}

// sink takes messages and counts them by address.
type sink struct {
	mu     sync.Mutex
	took   map[string]int
	sends  int
	answer func(n int, to string) (delivery.Reply, bool) // of the nth send: what is said, and whether it was taken
}

func (s *sink) Send(_ context.Context, m sending.Message) delivery.Reply {
	s.mu.Lock()
	s.sends++
	n, answer := s.sends, s.answer
	s.mu.Unlock()
	reply, taken := delivery.Reply{Outcome: delivery.Taken, Code: 250}, true
	if answer != nil {
		reply, taken = answer(n, m.To)
	}
	if taken {
		s.mu.Lock()
		s.took[m.To]++
		s.mu.Unlock()
	}
	return reply
}

func (s *sink) count(i int) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.took[address(i)]
}

// view is an audience that knows no more of the log than it was told to wait for.
type view struct {
	w       *world
	mu      sync.Mutex
	at      event.Position
	edition uint64
	given   map[domain.ID]audience.Permission
}

func newView(w *world) *view { return &view{w: w, given: map[domain.ID]audience.Permission{}} }

func (v *view) WaitFor(ctx context.Context, at event.Position) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	for v.at < at {
		v.at++
		events, err := v.w.journal.ReadAt(ctx, []event.Position{v.at})
		if err != nil {
			return err
		}
		for _, e := range events {
			p := v.given[e.Meta.Subject]
			switch d := e.Data.(type) {
			case subscriber.Added:
				p.Email, p.Name, p.SealedBy, p.Withhold = d.Email, d.Name, e.ID, delivery.NoConsent
			case consent.Given:
				p.Withhold, p.List, p.Consent = "", d.List, e.Position
			case consent.Revoked:
				p.Withhold = delivery.Revoked
			default:
				continue
			}
			p.Changed = e.Position
			v.given[e.Meta.Subject] = p
			v.edition++
		}
	}
	return ctx.Err()
}

func (v *view) Edition() uint64 {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.edition
}

func (v *view) Members(_ context.Context, _ domain.ID, _ []domain.ID, after domain.ID, limit int) ([]domain.ID, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	var out []domain.ID
	for _, id := range v.w.people { // in id order
		if id.String() > after.String() && len(out) < limit {
			out = append(out, id)
		}
	}
	return out, nil
}

func (v *view) Permissions(_ context.Context, _ domain.ID, _, people []domain.ID) ([]audience.Permission, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	out := make([]audience.Permission, len(people))
	for i, id := range people {
		out[i] = v.given[id]
	}
	return out, nil
}
