package consenthistory_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/cleversender/cleversender/domain"
	"github.com/cleversender/cleversender/domain/consent"
	"github.com/cleversender/cleversender/domain/event"
	"github.com/cleversender/cleversender/domain/subscriber"
	"github.com/cleversender/cleversender/projections/consenthistory"
	"github.com/cleversender/cleversender/projections/projectiontest"
)

// The history says what was in force at any position, and on which event it rests.
func TestAt(t *testing.T) {
	var h projectiontest.History
	person, on := projectiontest.ID(projectiontest.Person, 0), projectiontest.ID(projectiontest.List, 0)
	for _, data := range []any{
		subscriber.Added{},
		consent.Asserted{Purposes: []consent.Purpose{consent.Mailing, consent.Profiling}, List: on, Row: 7},
		consent.Given{Purpose: consent.Mailing, List: on, Method: consent.ByForm, Wording: "00"},
		consent.Revoked{Purpose: consent.Mailing, List: on, Method: consent.ByOneClick},
		subscriber.Erased{},
	} {
		h.Add(1, projectiontest.ID(projectiontest.Account, 0), subscriber.Stream(person), person, data)
	}
	entries := consenthistory.Fold(h.Events)
	if len(entries) != 5 || !entries[4].Erasure || entries[1].Purpose != consent.Profiling || entries[1].Row != 7 ||
		entries[1].List != (domain.ID{}) || entries[2].Wording != "00" || entries[3].Method != consent.ByOneClick {
		t.Fatalf("%+v", entries)
	}
	mailing := consent.Key{Purpose: consent.Mailing, List: on}
	for at, want := range []consent.Status{"", "", consent.StatusAsserted, consent.StatusGiven, consent.StatusRevoked, ""} {
		var got consenthistory.Answer
		for _, a := range consenthistory.At(entries, event.Position(at)) {
			if a.Key == mailing {
				got = a
			}
		}
		if got.Status != want || want != "" && got.Position != event.Position(at) {
			t.Fatalf("at %d: %+v, want %q", at, got, want)
		}
	}
	if got := consenthistory.AsOf(entries, h.Events[2].At); len(got) != 2 || got[0].Status != consent.StatusGiven {
		t.Fatalf("%+v", got)
	}
}

// At any position of any history the answers are those of the law.
func TestFollowsTheLaw(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		people := map[domain.ID][]event.Recorded{}
		for _, e := range projectiontest.Random(rt) {
			people[e.Meta.Subject] = append(people[e.Meta.Subject], e)
		}
		for _, events := range people {
			entries := consenthistory.Fold(events)
			var ledger consent.Ledger
			for _, e := range events {
				if ledger = ledger.Apply(e.Data); e.Type == "subscriber.erased" {
					ledger = nil
				}
				got := map[consent.Key]consent.State{}
				for _, a := range consenthistory.At(entries, e.Position) {
					got[a.Key] = a.State
				}
				want := map[consent.Key]consent.State{}
				for _, a := range ledger {
					want[a.Key] = a.State
				}
				for k, s := range got { // a no to what nobody asked about is no state
					if s == (consent.State{}) {
						delete(got, k)
					}
				}
				if diff := cmp.Diff(want, got); diff != "" {
					rt.Fatalf("at %d: -want +got\n%s", e.Position, diff)
				}
			}
		}
	})
}
