package persontimeline_test

import (
	"strings"
	"testing"

	"github.com/cleversender/cleversender/domain/catalog"
	"github.com/cleversender/cleversender/domain/delivery"
	"github.com/cleversender/cleversender/domain/engagement"
	"github.com/cleversender/cleversender/domain/personal"
	"github.com/cleversender/cleversender/projections/persontimeline"
	"github.com/cleversender/cleversender/projections/projectiontest"
)

// Each event has one entry with its words, its campaign and its link, and the personal values apart from the words.
func TestFold(t *testing.T) {
	var h projectiontest.History
	account, campaign := projectiontest.ID(projectiontest.Account, 0), projectiontest.ID(projectiontest.Campaign, 0)
	for _, data := range []any{
		delivery.Withheld{Campaign: campaign, Reason: delivery.NoConsent},
		delivery.Failed{Campaign: campaign, Code: 550, Enhanced: "5.1.1", Reason: delivery.Rejected, Reply: personal.Of("no ada here")},
		engagement.Clicked{Campaign: campaign, Link: 2, Machine: engagement.Scanner, IP: personal.Of("192.0.2.1")},
	} {
		h.Add(1, account, "stream", projectiontest.ID(projectiontest.Person, 0), data)
	}
	entries := persontimeline.Fold(h.Events)
	for i, want := range []string{"not sent to: no consent", "message failed: rejected (550 5.1.1)", "link 3 followed, by a machine (scanner)"} {
		if e := entries[i]; e.What != want || e.Campaign != campaign || e.Event != h.Events[i].ID || e.Position != h.Events[i].Position {
			t.Fatalf("%+v, want %q", e, want)
		}
	}
	if reply, _ := entries[1].Reply.Reveal(); reply != "no ada here" || entries[1].Link != -1 {
		t.Fatalf("%+v", entries[1])
	}
	if ip, _ := entries[2].IP.Reveal(); ip != "192.0.2.1" || entries[2].Link != 2 {
		t.Fatalf("%+v", entries[2])
	}
}

// Every type that is about a person has words of its own.
func TestEveryTypeHasWords(t *testing.T) {
	for name, typ := range catalog.All.Types() {
		about := false
		for _, prefix := range []string{"subscriber.", "consent.", "send.", "message.", "link.", "request."} {
			about = about || strings.HasPrefix(name, prefix)
		}
		if !about {
			continue
		}
		var h projectiontest.History
		data, err := catalog.All.Decode(name, typ.Version(), []byte("{}"))
		if err != nil {
			t.Fatal(err)
		}
		h.Add(1, projectiontest.ID(projectiontest.Account, 0), "stream", projectiontest.ID(projectiontest.Person, 0), data)
		if what := persontimeline.Fold(h.Events)[0].What; what == "" || what == name {
			t.Errorf("%s: %q", name, what)
		}
	}
}
