package main

import (
	"maps"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/cleversender/cleversender/adapters/eventlog"
	logpostgres "github.com/cleversender/cleversender/adapters/eventlog/postgres"
	"github.com/cleversender/cleversender/adapters/pgtest"
	"github.com/cleversender/cleversender/cmd/cleversender/engine"
	"github.com/cleversender/cleversender/domain/catalog"
	"github.com/cleversender/cleversender/domain/delivery"
	"github.com/cleversender/cleversender/domain/event"
)

// foreseen is an event of the next version of the software.
type foreseen struct{}

const foreseenName = "list.renamed"

// next is the program as it will be: it knows one event more.
func next() {
	catalog.All = event.NewCatalog(slices.Collect(maps.Values(catalog.All.Types())), []event.Type{event.Define[foreseen](foreseenName)})
	main()
}

// foresee appends an event of the next version, and returns its position.
func foresee(t *testing.T, database string) event.Position {
	log, err := logpostgres.Open(t.Context(), database)
	if err != nil {
		t.Error(err)
		return 0
	}
	defer func() { _ = log.Close() }()
	id := engine.NewID()
	e := event.Stored{ID: id, Type: foreseenName, Version: 1, At: time.Now(), Meta: event.Meta{Account: id}, Data: []byte("{}")}
	done, err := log.Append(t.Context(), eventlog.Append{Stream: "list-" + id.String(), Events: []event.Stored{e}})
	if err != nil {
		t.Error(err)
	}
	return done.Position
}

// until waits for something to be in a server's log.
func (s *server) until(text string) {
	s.t.Helper()
	for began := time.Now(); !strings.Contains(s.said(), text); time.Sleep(time.Millisecond) {
		if time.Since(began) > time.Minute {
			s.t.Fatalf("the server does not say %s: %s", text, s.said())
		}
	}
}

// leftAfter counts the messages that were sent by intents after a position.
func leftAfter(t *testing.T, database string, at event.Position) (intended, sent int) {
	t.Helper()
	log, err := logpostgres.Open(t.Context(), database)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = log.Close() }()
	head, err := log.Head(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	waiting := map[int]bool{}
	for page, err := range log.Follow(t.Context(), at, []string{"sends.intended", "sends.accepted"}, 500) {
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range page.Events {
			data, err := catalog.All.Decode(e.Type, e.Version, e.Data)
			if err != nil {
				t.Fatal(err)
			}
			switch d := data.(type) {
			case delivery.Intended:
				intended += len(d.Ordinals)
				for _, i := range d.Ordinals {
					waiting[i] = true
				}
			case delivery.Accepted:
				for _, i := range d.Ordinals {
					if waiting[i] {
						sent++
					}
				}
			}
		}
		if page.Next >= head {
			break
		}
	}
	return intended, sent
}

// A node that meets an event which only a newer version of the software knows
// stops there in mid-campaign, and says so: it folds nothing past it, and sends
// nothing that it intended after it. A newer node beside it goes on, and
// everybody gets their message once. Upgraded, the older node is well again.
func TestRollingUpgrade(t *testing.T) {
	t.Parallel()
	const people = 4000
	mail, old := newSink(t), newSharedHouse(t, pgtest.Database(t))
	server := old.serve(mail.URL())
	mailing := old.draft(people)
	var newer event.Position
	mail.set(func() { mail.when[people/4] = func() { newer = foresee(t, old.database) } })
	old.cli("campaign", "start", mailing)
	for _, worker := range []string{"sending", "outbox", "bounces", "privacy desk"} {
		server.until(`"worker":"` + worker + `","code":"software_outdated"`)
	}
	if got := mail.count(t); got < people/4 || got == people {
		t.Fatalf("%d of %d messages left", got, people)
	}
	if said := old.exits(exitFault, "health"); !strings.Contains(said, "software_outdated") {
		t.Errorf("health says %q", said)
	}
	_, metrics := server.get("/metrics")
	for _, line := range []string{"cleversender_ready 0", `cleversender_projection_stopped{projection="audience"} 1`} {
		if !strings.Contains(metrics, line+"\n") {
			t.Errorf("metrics lack %s", line)
		}
	}
	if intended, sent := leftAfter(t, old.database, newer); sent > 0 {
		t.Errorf("%d of %d messages that were intended after position %d left", sent, intended, newer)
	}
	if said := old.beside().exits(exitRefused, "--json", "serve", "--listen", "127.0.0.1:0"); !strings.Contains(said, `"code":"software_outdated"`) {
		t.Errorf("an older node that starts now says %q", said)
	}

	young := old.beside()
	young.program = "cleversender-next"
	upgraded := young.serve(mail.URL())
	r := upgraded.finished(mailing)
	if r.Sent != people || r.Unknown != 0 || mail.count(t) != people {
		t.Errorf("%d sent, %d unknown; %d people got it, of %d", r.Sent, r.Unknown, mail.count(t), people)
	}
	server.signal(syscall.SIGTERM)
	if code := server.wait(); code != exitOK {
		t.Errorf("the older node exits with %d", code)
	}
	upgraded.signal(syscall.SIGTERM)
	upgraded.wait()
	old.program = young.program
	old.serve(mail.URL())
	if said := old.cli("health"); said != "ready" {
		t.Errorf("upgraded, it is %q", said)
	}
}
