package audience_test

import (
	"testing"

	"pgregory.net/rapid"

	"github.com/cleversender/cleversender/domain/event"
	"github.com/cleversender/cleversender/domain/subscriber"
	"github.com/cleversender/cleversender/projections/audience"
	"github.com/cleversender/cleversender/projections/projectiontest"
)

// Whatever happened, and however it was cut into pages: what is asked at a hit is
// what the person's own row says, and the erased leave nothing to be asked.
func TestTrackingAgreesWithThePerson(t *testing.T) {
	allowed, erased := 0, 0
	rapid.Check(t, func(t *rapid.T) {
		events := projectiontest.Random(t)
		cut := rapid.IntRange(0, len(events)).Draw(t, "cut")
		tables, err := projectiontest.Fold(audience.Projection, events[:cut], events[cut:])
		if err != nil {
			t.Fatal(err)
		}
		for _, who := range everybody(events) {
			got, err := audience.TrackingOf(t.Context(), tables, []audience.Who{who})
			if err != nil {
				t.Fatal(err)
			}
			p, _, err := audience.Find(t.Context(), tables, who.Account, who.Person)
			if err != nil {
				t.Fatal(err)
			}
			var want audience.Tracking
			if p.Held(subscriber.Restriction) == nil {
				want = audience.Tracking{Opens: p.OpenTracking > 0, Clicks: p.ClickTracking > 0}
			}
			if got[0] != want {
				t.Fatalf("%v: %+v, and their row says %+v", who, got[0], want)
			}
			if want != (audience.Tracking{}) {
				allowed++
			}
		}
		for _, e := range events {
			if _, ok := e.Data.(subscriber.Erased); ok {
				erased++
			}
		}
	})
	if allowed == 0 || erased == 0 {
		t.Fatalf("%d who allow something, %d erased: the histories are too dull", allowed, erased)
	}
}

func everybody(events []event.Recorded) []audience.Who {
	var all []audience.Who
	for _, e := range events {
		if _, ok := e.Data.(subscriber.Added); ok {
			all = append(all, audience.Who{Account: e.Meta.Account, Person: e.Meta.Subject})
		}
	}
	return all
}
