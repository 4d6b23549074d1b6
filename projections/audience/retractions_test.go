package audience_test

import (
	"context"
	"testing"

	"pgregory.net/rapid"

	"github.com/cleversender/cleversender/domain"
	"github.com/cleversender/cleversender/domain/consent"
	"github.com/cleversender/cleversender/domain/event"
	"github.com/cleversender/cleversender/domain/subscriber"
	"github.com/cleversender/cleversender/projections"
	"github.com/cleversender/cleversender/projections/audience"
	"github.com/cleversender/cleversender/projections/projectiontest"
)

// Whoever was sent a message when they allowed its tracking: what may be recorded
// of it later is what their row says then, however much is remembered, and
// whenever it was last asked.
func TestRetractionsAgreeWithTheRow(t *testing.T) {
	retracted := 0
	rapid.Check(t, func(t *rapid.T) {
		events := projectiontest.RandomPeople(t)
		cut := rapid.IntRange(0, len(events)).Draw(t, "cut")
		remembered := rapid.IntRange(0, 3).Draw(t, "remembered")
		at := func(n int) (tables projectiontest.Tables, position event.Position) {
			tables, err := projectiontest.Fold(audience.Projection, events[:min(n, cut)], events[min(n, cut):n])
			if err != nil {
				t.Fatal(err)
			}
			if n > 0 {
				position = events[n-1].Position
			}
			return tables, position
		}
		between, asOfThen := at(cut)
		tables, asOf := at(len(events))
		for sent := range events {
			memory := audience.NewRetractions(remembered)
			if _, err := memory.TrackingOf(t.Context(), between, asOfThen, nil); err != nil { // it remembers from here on
				t.Fatal(err)
			}
			then, intent := at(sent)
			for _, who := range everybody(events) {
				allowed, want := tracking(t, then, who), tracking(t, tables, who)
				got, err := memory.TrackingOf(t.Context(), tables, asOf, []audience.Mailed{{Who: who, After: intent}})
				if err != nil {
					t.Fatal(err)
				}
				if allowed.Opens && got[0].Opens != want.Opens || allowed.Clicks && got[0].Clicks != want.Clicks {
					t.Fatalf("%v, mailed after %d, when %+v: %+v, and their row says %+v", who, intent, allowed, got[0], want)
				}
				if allowed.Opens && !want.Opens {
					retracted++
				}
			}
		}
	})
	if retracted == 0 {
		t.Fatal("nobody took anything back: the histories are too dull")
	}
}

func tracking(t *rapid.T, tables projectiontest.Tables, who audience.Who) audience.Tracking {
	t.Helper()
	found, err := audience.TrackingOf(t.Context(), tables, []audience.Who{who})
	if err != nil {
		t.Fatal(err)
	}
	return found[0]
}

// The last retraction counts, of however many; who took nothing back since is not
// looked up.
func TestTheLastRetractionCounts(t *testing.T) {
	const people = 2500
	var h projectiontest.History
	acct := projectiontest.ID(projectiontest.Account, 0)
	who := func(n int) audience.Who {
		return audience.Who{Account: acct, Person: projectiontest.ID(projectiontest.Person, n)}
	}
	add := func(n int, data any) {
		h.Add(1, acct, subscriber.Stream(who(n).Person), who(n).Person, data)
	}
	for n := range people {
		add(n, subscriber.Added{})
		add(n, consent.Given{Purpose: consent.OpenTracking})
		add(n, consent.Revoked{Purpose: consent.OpenTracking})
		add(n, consent.Given{Purpose: consent.OpenTracking})
	}
	mailed := h.Events[len(h.Events)-1].Position
	add(0, consent.Revoked{Purpose: consent.OpenTracking})
	add(people-1, consent.Revoked{Purpose: consent.OpenTracking})
	tables, err := projectiontest.Fold(audience.Projection, h.Events)
	if err != nil {
		t.Fatal(err)
	}
	for _, most := range []int{people, people - 1} {
		r := &lookups{Reader: tables}
		memory := audience.NewRetractions(most)
		for n := range people {
			got, err := memory.TrackingOf(t.Context(), r, mailed+2, []audience.Mailed{{Who: who(n), After: mailed}})
			if err != nil {
				t.Fatal(err)
			}
			if back := n == 0 || n == people-1; got[0].Opens == back {
				t.Fatalf("remembers %d, person %d: %+v", most, n, got[0])
			}
		}
		if want := map[int]int{people: 2, people - 1: people}[most]; r.n != want {
			t.Errorf("remembers %d: %d are looked up, not %d", most, r.n, want)
		}
		if r.scanned > 3*people+2*1000 {
			t.Errorf("remembers %d: reads %d rows", most, r.scanned)
		}
	}
}

// lookups counts what is looked up by key, and what is read in passing.
type lookups struct {
	projections.Reader
	n, scanned int
}

func (l *lookups) GetMany(ctx context.Context, table *projections.Table, keys [][]any) ([]projections.Row, error) {
	l.n += len(keys)
	return l.Reader.GetMany(ctx, table, keys)
}

func (l *lookups) Scan(ctx context.Context, table *projections.Table, prefix, after []any, limit int) ([]projections.Row, error) {
	rows, err := l.Reader.Scan(ctx, table, prefix, after, limit)
	l.scanned += len(rows)
	return rows, err
}

// Of whom no message is known, or of whom a model that is behind knows none, the
// row is asked, and so is it of a message from before what is remembered.
func TestWhoIsUnknownIsLookedUp(t *testing.T) {
	nobody := audience.Mailed{Who: audience.Who{Account: domain.ID{1}, Person: domain.ID{2}}}
	memory := audience.NewRetractions(10)
	for name, c := range map[string]struct {
		after, asOf event.Position
		allowed     bool
	}{
		"no message":        {0, 9, false},
		"a model behind":    {5, 4, false},
		"a message of then": {5, 5, true},
	} {
		nobody.After = c.after
		got, err := memory.TrackingOf(t.Context(), projectiontest.Tables{}, c.asOf, []audience.Mailed{nobody})
		if err != nil {
			t.Fatal(err)
		}
		if got[0].Opens != c.allowed || got[0].Clicks != c.allowed {
			t.Errorf("%s: %+v", name, got[0])
		}
	}
}
