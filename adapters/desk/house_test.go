package desk_test

import (
	"context"
	"crypto/rand"
	"iter"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/ThreeDotsLabs/watermill/message"

	"github.com/cleversender/cleversender/adapters/address"
	"github.com/cleversender/cleversender/adapters/bus"
	"github.com/cleversender/cleversender/adapters/desk"
	"github.com/cleversender/cleversender/adapters/eventlog"
	"github.com/cleversender/cleversender/adapters/eventlog/sqlite"
	"github.com/cleversender/cleversender/adapters/keyring"
	keysqlite "github.com/cleversender/cleversender/adapters/keyring/sqlite"
	"github.com/cleversender/cleversender/adapters/readmodel"
	models "github.com/cleversender/cleversender/adapters/readmodel/sqlite"
	"github.com/cleversender/cleversender/commands"
	"github.com/cleversender/cleversender/domain"
	"github.com/cleversender/cleversender/domain/campaign"
	"github.com/cleversender/cleversender/domain/catalog"
	"github.com/cleversender/cleversender/domain/consent"
	"github.com/cleversender/cleversender/domain/event"
	"github.com/cleversender/cleversender/domain/personal"
	"github.com/cleversender/cleversender/domain/privacyrequest"
	"github.com/cleversender/cleversender/domain/subscriber"
	"github.com/cleversender/cleversender/projections"
	"github.com/cleversender/cleversender/projections/audience"
	"github.com/cleversender/cleversender/projections/requests"
	"github.com/cleversender/cleversender/projections/subjectindex"
)

// house is a data folder in use: log, keys and read models as they are for real.
type house struct {
	t       testing.TB
	dir     string
	journal *eventlog.Journal
	keys    *keysqlite.Store
	host    *readmodel.Host
	account domain.ID
	list    domain.ID
	stop    func() // closes everything
}

func newHouse(t testing.TB) *house {
	t.Helper()
	h := &house{t: t, dir: t.TempDir(), account: newID(), list: newID()}
	uri := "file://" + filepath.Join(t.TempDir(), "root.key")
	h.must(keyring.CreateRootKey(uri))
	h.open(uri)
	h.do(commands.Handle(ctx, h.journal, h.request(), commands.CreateAccount{AccountID: h.account, Name: "Canary Club"}))
	h.do(commands.Handle(ctx, h.journal, h.request(), commands.CreateList{List: h.list, Name: "Newsletter", DoubleOptIn: true}))
	return h
}

var ctx = context.Background()

func (h *house) open(uri string) {
	h.t.Helper()
	log, err := sqlite.Open(ctx, filepath.Join(h.dir, "events.db"))
	h.must(err)
	h.keys, err = keysqlite.Open(ctx, filepath.Join(h.dir, "keys.db"), uri)
	h.must(err)
	h.journal = eventlog.NewJournal(log, catalog.All, h.keys, time.Now)
	store, err := models.New(filepath.Join(h.dir, "models"))
	h.must(err)
	h.host, err = readmodel.NewHost(ctx, readmodel.Options{
		Source: h.journal, Store: store,
		Projections: []projections.Projection{audience.Projection, subjectindex.Projection, requests.Projection},
		Subscriber: func(follow func(context.Context, string) iter.Seq2[eventlog.RecordedPage, error]) message.Subscriber {
			return bus.NewLogSubscriber(follow)
		},
	})
	h.must(err)
	running, cancel := context.WithCancel(ctx)
	done := make(chan error, 1)
	go func() { done <- h.host.Run(running) }()
	h.stop = sync.OnceFunc(func() {
		cancel()
		for _, err := range []error{<-done, h.host.Close(), log.Close(), h.keys.Close()} {
			if err != nil {
				h.t.Error(err)
			}
		}
	})
	h.t.Cleanup(h.stop)
}

func (h *house) must(err error) {
	h.t.Helper()
	if err != nil {
		h.t.Fatal(err)
	}
}

func (h *house) do(_ commands.Done, err error) { h.t.Helper(); h.must(err) }

func (h *house) request() commands.Request { return commands.Request{ID: newID(), Account: h.account} }

func newID() (id domain.ID) { _, _ = rand.Read(id[:]); return id }

// options are those of a desk of this house.
func (h *house) options() desk.Options {
	return desk.Options{
		Journal: h.journal, Catalog: catalog.All, Keys: h.keys, Directory: h.keys, Models: h.host,
		Subjects: func(ctx context.Context, person domain.ID, upTo event.Position) ([]event.Position, error) {
			return subjectindex.Positions(ctx, h.host.Reader(subjectindex.Projection.Name), person, upTo)
		},
		Due: func(ctx context.Context, limit int) (tasks []desk.Task, err error) {
			open, err := requests.Open(ctx, h.host.Reader(requests.Projection.Name), limit)
			for _, q := range open {
				tasks = append(tasks, desk.Task{Account: q.Account, Request: q.ID, Person: q.Person, Kind: q.Kind})
			}
			return tasks, err
		},
		Normalise: func(raw string) (string, error) { _, normal, err := address.Forms(raw); return normal, err },
		Retry:     20 * time.Millisecond,
	}
}

// join adds a person as a form does, with consent and an engagement on record.
func (h *house) join(email, name string, attributes map[string]string) domain.ID {
	h.t.Helper()
	_, normal, err := address.Forms(email)
	h.must(err)
	reserved, err := h.keys.Reserve(ctx, h.account, []string{normal})
	h.must(err)
	person := reserved[0].Person
	h.do(commands.Handle(ctx, h.journal, h.request(), commands.AddSubscriber{
		Person: person, Email: personal.Of(email), Name: personal.Of(name),
		Attributes: personal.FieldsOf(attributes), List: h.list, Source: subscriber.SourceForm,
	}))
	h.do(commands.Handle(ctx, h.journal, h.request(), commands.GiveConsent{
		Person: person, Purpose: consent.Mailing, List: h.list, Method: consent.ByForm,
		IP: personal.Of("198.51.100.7"), Client: personal.Of("CanaryBrowser/7.0 " + name),
	}))
	return person
}

// engage drafts a campaign and lets the person open it and click.
func (h *house) engage(person domain.ID) (campaignID domain.ID) {
	h.t.Helper()
	id, writer := newID(), newID()
	h.do(commands.Handle(ctx, h.journal, h.request(), commands.DraftCampaign{Campaign: id, Settings: campaign.Settings{
		Name: "Spring", Lists: []domain.ID{h.list}, Template: newID(), FromName: "Club", FromEmail: "club@example.org",
	}}))
	h.do(commands.Handle(ctx, h.journal, h.request(), commands.RecordOpen{
		Campaign: id, Writer: writer, Person: person, Ordinal: 3, IP: personal.Of("203.0.113.77"), Client: personal.Of("CanaryMail/1.2.3"),
	}))
	h.do(commands.Handle(ctx, h.journal, h.request(), commands.RecordClick{
		Campaign: id, Writer: writer, Person: person, Ordinal: 3, Link: 0, IP: personal.Of("203.0.113.77"), Client: personal.Of("CanaryMail/1.2.3"),
	}))
	return id
}

func (h *house) ask(kind privacyrequest.Kind, person domain.ID) desk.Task {
	h.t.Helper()
	id := newID()
	h.do(commands.Handle(ctx, h.journal, h.request(), commands.OpenRequest{Request: id, Person: person, Kind: kind, Now: time.Now()}))
	return desk.Task{Account: h.account, Request: id, Person: person, Kind: kind}
}

// events returns a stream's events, by their Go values.
func (h *house) events(stream string) (all []any) {
	h.t.Helper()
	past, err := h.journal.Load(ctx, stream)
	h.must(err)
	for _, e := range past {
		all = append(all, e.Data)
	}
	return all
}
