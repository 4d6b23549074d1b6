package sending_test

import (
	"context"
	"fmt"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/cleversender/cleversender/adapters/eventlog"
	"github.com/cleversender/cleversender/adapters/eventlog/sqlite"
	"github.com/cleversender/cleversender/adapters/readmodel"
	models "github.com/cleversender/cleversender/adapters/readmodel/sqlite"
	"github.com/cleversender/cleversender/adapters/sending"
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
)

// house is a data folder: the log, and the audience's read model, which keeps up.
type house struct {
	journal *eventlog.Journal
	view    sending.View
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
	model, err := store.Open(ctx, audience.Projection.ID(), audience.Projection.Tables)
	if err != nil {
		t.Fatal(err)
	}
	h := &house{journal: eventlog.NewJournal(log, catalog.All, keyring, time.Now)}
	k := &keeper{model: model, moved: make(chan struct{})}
	h.view = sending.View{Reader: model, Wait: k.wait}
	var ran sync.WaitGroup
	ran.Go(func() { k.keepUp(ctx, t, h.journal) })
	h.close = func() {
		stop()
		ran.Wait()
		for _, c := range []interface{ Close() error }{log, model} {
			if err := c.Close(); err != nil {
				t.Error(err)
			}
		}
	}
	return h
}

// keeper folds the log into the audience's model.
type keeper struct {
	model readmodel.Model
	mu    sync.Mutex
	at    event.Position
	moved chan struct{}
}

func (k *keeper) keepUp(ctx context.Context, t testing.TB, journal *eventlog.Journal) {
	at, err := k.model.Position(ctx)
	if err != nil {
		t.Error(err)
	}
	k.moves(at)
	for page, err := range journal.Follow(ctx, at, audience.Projection.Types, 1000) {
		if ctx.Err() != nil {
			return
		}
		if err == nil && len(page.Events) > 0 {
			err = k.model.Apply(ctx, readmodel.Batch{From: at, Next: page.Next, Fold: func(rows projections.Rows) error {
				return audience.Projection.Fold(rows, page.Events)
			}})
			at = page.Next
		}
		if err != nil && ctx.Err() == nil {
			t.Error(err)
			return
		}
		k.moves(page.Next)
	}
}

func (k *keeper) moves(to event.Position) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.at = to
	close(k.moved)
	k.moved = make(chan struct{})
}

func (k *keeper) wait(ctx context.Context, at event.Position) error {
	for {
		k.mu.Lock()
		there, moved := k.at >= at, k.moved
		k.mu.Unlock()
		if there {
			return nil
		}
		select {
		case <-moved:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
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
