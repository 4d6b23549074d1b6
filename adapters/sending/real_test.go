package sending_test

import (
	"context"
	"fmt"
	"iter"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/ThreeDotsLabs/watermill/message"

	"github.com/cleversender/cleversender/adapters/bus"
	"github.com/cleversender/cleversender/adapters/eventlog"
	"github.com/cleversender/cleversender/adapters/eventlog/sqlite"
	"github.com/cleversender/cleversender/adapters/readmodel"
	models "github.com/cleversender/cleversender/adapters/readmodel/sqlite"
	"github.com/cleversender/cleversender/commands"
	"github.com/cleversender/cleversender/domain"
	"github.com/cleversender/cleversender/domain/campaign"
	"github.com/cleversender/cleversender/domain/catalog"
	"github.com/cleversender/cleversender/domain/consent"
	"github.com/cleversender/cleversender/domain/event"
	"github.com/cleversender/cleversender/domain/list"
	"github.com/cleversender/cleversender/domain/personal"
	"github.com/cleversender/cleversender/domain/subscriber"
	"github.com/cleversender/cleversender/projections"
	"github.com/cleversender/cleversender/projections/audience"
	"github.com/cleversender/cleversender/projections/campaignlist"
	"github.com/cleversender/cleversender/projections/campaignreport"
	"github.com/cleversender/cleversender/projections/subjectindex"
)

// house is a data folder: the log, and the read models, which keep up.
type house struct {
	journal *eventlog.Journal
	view    real
	all     func(context.Context, event.Position) error // waits for every projection
	close   func()
}

var root = domain.ID{0: 1}

func openHouse(t testing.TB, folder string, keyring eventlog.Keyring) *house {
	ctx, stop := context.WithCancel(context.Background())
	log, err := sqlite.Open(ctx, filepath.Join(folder, "events.db"))
	if err != nil {
		t.Fatal(err)
	}
	store, err := models.New(filepath.Join(folder, "models"))
	if err != nil {
		t.Fatal(err)
	}
	h := &house{journal: eventlog.NewJournal(log, catalog.All, keyring, time.Now)}
	host, err := readmodel.NewHost(ctx, readmodel.Options{
		Source: h.journal, Store: store,
		Subscriber: func(follow func(context.Context, string) iter.Seq2[eventlog.RecordedPage, error]) message.Subscriber {
			return bus.NewLogSubscriber(follow)
		},
		Projections: []projections.Projection{
			audience.Projection, campaignlist.Projection, campaignreport.Projection, subjectindex.Projection,
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	name := audience.Projection.Name
	h.view = real{host.Reader(name), func(ctx context.Context, at event.Position) error {
		return host.WaitFor(ctx, name, at)
	}, func() uint64 { return host.Edition(name) }}
	h.all = host.WaitAll
	var ran sync.WaitGroup
	ran.Go(func() {
		if err := host.Run(ctx); err != nil {
			t.Error(err)
		}
	})
	h.close = func() {
		stop()
		ran.Wait()
		for _, c := range []interface{ Close() error }{log, host} {
			if err := c.Close(); err != nil {
				t.Error(err)
			}
		}
	}
	return h
}

// real is the audience that its projection answers.
type real struct {
	projections.Reader
	wait    func(context.Context, event.Position) error
	edition func() uint64
}

func (r real) Edition() uint64 { return r.edition() }

func (r real) WaitFor(ctx context.Context, at event.Position) error { return r.wait(ctx, at) }

func (r real) Members(ctx context.Context, account domain.ID, lists []domain.ID, after domain.ID, limit int) ([]domain.ID, error) {
	return audience.MemberIDs(ctx, r.Reader, account, lists, after, limit)
}

func (r real) Permissions(ctx context.Context, account domain.ID, lists, people []domain.ID) ([]audience.Permission, error) {
	return audience.Permissions(ctx, r.Reader, account, lists, people)
}

// fill makes a list of n people who agreed to mail, and a started campaign to it.
func (h *house) fill(t testing.TB, n int) (account, mailing domain.ID) {
	account, mailing = root.Derive("account"), root.Derive("campaign")
	to := root.Derive("list")
	write := func(stream string, subject domain.ID, data ...any) eventlog.Write {
		w := eventlog.Write{Stream: stream}
		for i, d := range data {
			w.Events = append(w.Events, event.Draft{
				ID: root.Derive(fmt.Sprint(stream, i)), Meta: event.Meta{Account: account, Subject: subject}, Data: d,
			})
		}
		return w
	}
	writes := []eventlog.Write{write(list.Stream(to), domain.ID{}, list.Created{Name: "News"})}
	for i := range n {
		id := newID(i)
		writes = append(writes, write(subscriber.Stream(id), id,
			subscriber.Added{
				Email: personal.Of(address(i)), Name: personal.Of(fmt.Sprint("Name ", i)),
				Attributes: personal.FieldsOf(map[string]string{"city": "Łódź"}), Source: subscriber.SourceAPI,
			},
			subscriber.Joined{List: to},
			consent.Given{Purpose: consent.Mailing, List: to, Method: consent.ByAPI}))
		if i == n-1 {
			writes = append(writes, write(campaign.Stream(mailing), domain.ID{}, campaign.Drafted{Settings: campaign.Settings{
				Name: "news", Lists: []domain.ID{to}, Template: root.Derive("template"), FromEmail: "news@example.com",
			}}, campaign.Started{Content: content}))
		}
		if len(writes) >= 500 || i == n-1 {
			_, errs := h.journal.AppendBulk(context.Background(), writes)
			for _, err := range errs {
				if err != nil {
					t.Fatal(err)
				}
			}
			writes = nil
		}
	}
	return account, mailing
}

// newID counts up, as version 7 does with time.
func newID(i int) domain.ID {
	id := root.Derive(fmt.Sprint("person ", i))
	id[0], id[1], id[2], id[3] = 2, byte(i>>16), byte(i>>8), byte(i)
	return id
}

// over waits until a campaign has come to its end.
func (h *house) over(t testing.TB, account, mailing domain.ID) campaign.Campaign {
	for range 60_000 {
		o, err := commands.Own[campaign.Campaign, campaign.Event](context.Background(), h.journal, account, campaign.Stream(mailing))
		if err != nil {
			t.Fatal(err)
		}
		if o.State.Over() {
			return o.State
		}
		time.Sleep(time.Millisecond)
	}
	t.Fatal("the campaign does not come to an end")
	return campaign.Campaign{}
}
