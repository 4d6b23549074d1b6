package subjectindex_test

import (
	"reflect"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/cleversender/cleversender/domain"
	"github.com/cleversender/cleversender/domain/delivery"
	"github.com/cleversender/cleversender/domain/event"
	"github.com/cleversender/cleversender/projections/projectiontest"
	"github.com/cleversender/cleversender/projections/subjectindex"
)

func about(e event.Recorded) []domain.ID {
	switch data := e.Data.(type) {
	case delivery.Intended:
		return data.Subjects
	case delivery.Accepted:
		return data.Subjects
	}
	if e.Meta.Subject.IsZero() {
		return nil
	}
	return []domain.ID{e.Meta.Subject}
}

// The index finds every event that concerns a person and no other, up to any position, erased or not.
func TestPositions(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		history := projectiontest.Random(rt)
		at := rapid.IntRange(0, len(history)).Draw(rt, "cut")
		tables, err := projectiontest.Fold(subjectindex.Projection, history[:at], history[at:])
		if err != nil {
			rt.Fatal(err)
		}
		want := map[domain.ID][]event.Position{}
		for _, e := range history {
			for _, person := range about(e) {
				want[person] = append(want[person], e.Position)
			}
		}
		for person, all := range want {
			for n, upTo := range append(all, 0) {
				expect := all[:min(n+1, len(all))]
				got, err := subjectindex.Positions(t.Context(), tables, person, upTo)
				if err != nil || !slices.Equal(got, expect) {
					rt.Fatalf("%v up to %d, want %v: %v", got, upTo, expect, err)
				}
			}
		}
	})
}

// Nobody finds the events of others, however alike their ids are, and nothing is lost where a run
// gets too long, or where a page or a block ends; where pages end makes no other rows.
func TestPositionsOfMany(t *testing.T) {
	people := []domain.ID{{3: 1, 15: 7}, {3: 2, 15: 7}, {3: 1, 15: 8}, {3: 1, 13: 1, 15: 7}, {3: 1, 14: 2, 15: 7}}
	for i := range 5_000 {
		people = append(people, projectiontest.ID(projectiontest.Person, i))
	}
	var pages [][]event.Recorded
	want := map[domain.ID][]event.Position{}
	var at event.Position
	add := func(person domain.ID, n int) (page []event.Recorded) {
		for range n {
			at++
			page = append(page, event.Recorded{Position: at, Meta: event.Meta{Subject: person}})
			want[person] = append(want[person], at)
		}
		return page
	}
	for _, n := range []int{1, 300, 2, 256} {
		for _, person := range people[:10] {
			pages = append(pages, add(person, n))
		}
	}
	pages = append(pages, add(people[0], 3), add(people[0], 2))
	for i := range 8 {
		var page []event.Recorded
		for _, person := range people {
			at += event.Position(i)
			page = append(page, add(person, 1+i%2)...)
		}
		pages = append(pages, page[:7], page[7:])
	}
	tables, err := projectiontest.Fold(subjectindex.Projection, pages...)
	if err != nil {
		t.Fatal(err)
	}
	once, err := projectiontest.Fold(subjectindex.Projection, slices.Concat(pages...))
	if err != nil || !reflect.DeepEqual(once, tables) {
		t.Fatal("folded at once, the rows are others:", err)
	}
	for _, person := range people[:500] {
		got, err := subjectindex.Positions(t.Context(), tables, person, 0)
		if err != nil || !slices.Equal(got, want[person]) {
			t.Fatalf("%v, want %v: %v", got, want[person], err)
		}
	}
}
