package engine_test

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/cleversender/cleversender/adapters/pgtest"
	"github.com/cleversender/cleversender/cmd/cleversender/engine"
	"github.com/cleversender/cleversender/commands"
	"github.com/cleversender/cleversender/domain"
	"github.com/cleversender/cleversender/domain/bounce"
	"github.com/cleversender/cleversender/domain/delivery"
	"github.com/cleversender/cleversender/domain/event"
	"github.com/cleversender/cleversender/domain/personal"
	"github.com/cleversender/cleversender/domain/subscriber"
)

// Of two nodes one records what mail servers refuse, from where the other was
// when that one ends: each refusal once, and none is looked at twice.
func TestNodesTakeTurnsAtRefusals(t *testing.T) {
	database := pgtest.Database(t)
	o := engine.Options{Dir: filepath.Join(t.TempDir(), "data"), Stores: engine.Stores{Log: database, ReadModels: database, Keys: database}}
	account, _, err := engine.Init(t.Context(), o, "Acme")
	if err != nil {
		t.Fatal(err)
	}
	o.RootKey = "file://" + o.Dir + "/root.key"
	var nodes []*engine.Engine
	for range 2 {
		e, err := engine.Open(t.Context(), o)
		if err != nil {
			t.Fatal(err)
		}
		nodes = append(nodes, e)
		o.Dir = filepath.Join(t.TempDir(), "data")
	}
	campaign, refusals := engine.NewID(), 0
	refuse := func() {
		t.Helper()
		before := looked(t, nodes...)
		person, journal := engine.NewID(), nodes[0].Journal
		add := commands.AddSubscriber{Person: person, Email: personal.Of("ann@example.com"), Source: subscriber.SourceAPI}
		if _, err := commands.Handle(t.Context(), journal, commands.Request{ID: engine.NewID(), Account: account}, add); err != nil {
			t.Fatal(err)
		}
		refused := event.Draft{
			ID: engine.NewID(), Meta: event.Meta{Account: account, Subject: person},
			Data: delivery.Failed{Campaign: campaign, Ordinal: refusals, Code: 550, Enhanced: "5.1.1", Reason: delivery.Rejected},
		}
		if _, err := journal.Record(t.Context(), delivery.Stream(campaign, 0), uint64(refusals), []event.Draft{refused}); err != nil {
			t.Fatal(err)
		}
		refusals++
		for began := time.Now(); looked(t, nodes...) == before || !bounced(t, nodes[0], person); time.Sleep(time.Millisecond) {
			if time.Since(began) > time.Minute {
				t.Fatal("a refusal is not recorded")
			}
		}
	}
	refuse()
	refuse()
	if looked(t, nodes[0]) == 0 {
		nodes[0], nodes[1] = nodes[1], nodes[0]
	}
	if a, b := looked(t, nodes[0]), looked(t, nodes[1]); a != 2 || b != 0 {
		t.Errorf("two refusals: one node looked at %d, the other at %d", a, b)
	}
	if err := nodes[0].Close(t.Context()); err != nil {
		t.Error(err)
	}
	nodes = nodes[1:]
	refuse()
	if n := looked(t, nodes[0]); n != 1 {
		t.Errorf("the node that goes on looked at %d refusals", n)
	}
	if err := nodes[0].Close(t.Context()); err != nil {
		t.Error(err)
	}
}

func bounced(t *testing.T, e *engine.Engine, person domain.ID) bool {
	t.Helper()
	past, err := e.Journal.Load(t.Context(), subscriber.Stream(person))
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range past {
		if _, ok := e.Data.(bounce.Received); ok {
			return true
		}
	}
	return false
}

// looked is how many reports nodes have dealt with.
func looked(t *testing.T, nodes ...*engine.Engine) (n int) {
	t.Helper()
	for _, e := range nodes {
		families, err := e.Metrics.Gather()
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range families {
			if f.GetName() != "cleversender_bounces_total" {
				continue
			}
			for _, m := range f.GetMetric() {
				n += int(m.GetCounter().GetValue())
			}
		}
	}
	return n
}
