package desk_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"testing"
	"time"

	"github.com/cleversender/cleversender/adapters/desk"
	"github.com/cleversender/cleversender/adapters/desk/canary"
	"github.com/cleversender/cleversender/commands"
	"github.com/cleversender/cleversender/domain"
	"github.com/cleversender/cleversender/domain/personal"
	"github.com/cleversender/cleversender/domain/privacyrequest"
	"github.com/cleversender/cleversender/domain/subscriber"
)

const (
	canaryEmail = "Zoe.Canary+77@Exämple-Canary.org"
	canaryName  = "Zoë Cänary-Ångström"
)

var needles = []string{
	canaryEmail, "zoe.canary+77", canaryName, "Cänary-Ångström",
	"Canaryville 42", "CanaryMail/1.2.3", "CanaryBrowser/7.0", "203.0.113.77", "formerly.canary@example.net",
}

func TestAfterAnErasureNoByteOfThePersonIsInAnyFile(t *testing.T) {
	h := newHouse(t)
	for _, other := range []string{"ann@example.org", "bob@example.org"} {
		h.engage(h.join(other, "Somebody Else", nil))
	}
	person := h.join("formerly.canary@example.net", canaryName, map[string]string{"city": "Canaryville 42"})
	h.must(h.keys.Move(ctx, h.account, "formerly.canary@example.net", normal(t, h, canaryEmail), person))
	h.do(commands.Handle(ctx, h.journal, h.request(), commands.RectifySubscriber{
		Person: person, Email: personal.Of(canaryEmail), Name: personal.Of(canaryName),
		Attributes: personal.FieldsOf(map[string]string{"city": "Canaryville 42"}), Source: subscriber.SourceAPI,
	}))
	h.engage(person)
	task := h.ask(privacyrequest.Erasure, person)
	h.must(desk.New(h.options()).Fulfil(ctx, task))

	for _, when := range []string{"in use", "closed"} {
		hits, err := canary.Search(h.dir, append(needles, normal(t, h, canaryEmail)))
		h.must(err)
		if len(hits) > 0 {
			t.Errorf("%s: %d hits, the first %+v", when, len(hits), hits[0])
		}
		if when == "in use" {
			checkErased(t, h, task, 3, 5)
			for _, address := range []string{canaryEmail, "formerly.canary@example.net"} {
				reserved, err := h.keys.Reserve(ctx, h.account, []string{normal(t, h, address)})
				h.must(err)
				if !reserved[0].Suppressed {
					t.Error("an import would bring the person back")
				}
			}
			h.stop()
		}
	}
}

func normal(t *testing.T, h *house, raw string) string {
	t.Helper()
	out, err := h.options().Normalise(raw)
	h.must(err)
	return out
}

// checkErased expects one redaction and one certificate.
func checkErased(t *testing.T, h *house, task desk.Task, keys, events int) {
	t.Helper()
	past, err := h.journal.Load(ctx, subscriber.Stream(task.Person))
	h.must(err)
	redactions := 0
	var redaction domain.ID
	for _, e := range past {
		switch data := e.Data.(type) {
		case subscriber.Erased:
			redactions++
			redaction = e.ID
		case subscriber.Added:
			if !data.Email.IsErased() || !data.Name.IsErased() {
				t.Error("a value can still be read")
			}
		}
	}
	if redactions != 1 {
		t.Errorf("%d redactions", redactions)
	}
	answers := h.events(privacyrequest.Stream(task.Request))
	if len(answers) != 2 {
		t.Fatalf("%d events of the request: %+v", len(answers), answers)
	}
	got, _ := answers[1].(privacyrequest.ErasureFulfilled)
	if keys == 0 {
		keys, events = got.Keys, got.Events
	}
	if want := (privacyrequest.ErasureFulfilled{Redaction: redaction, Keys: keys, Events: events, Suppressed: true}); got != want {
		t.Errorf("certificate %+v, want %+v", got, want)
	}
}

func TestTheSearchWouldHaveFoundThePerson(t *testing.T) {
	h := newHouse(t)
	person := h.join(canaryEmail, canaryName, nil)
	h.do(commands.Handle(ctx, h.journal, h.request(), commands.CreateList{List: newID(), Name: canaryName})) // a leak, by a marketer
	h.must(desk.New(h.options()).Fulfil(ctx, h.ask(privacyrequest.Erasure, person)))
	hits, err := canary.Search(h.dir, needles)
	h.must(err)
	if len(hits) == 0 {
		t.Error("nothing found")
	}
}

func TestAnAccessBundleTellsAllThatIsKnown(t *testing.T) {
	h := newHouse(t)
	person := h.join(canaryEmail, canaryName, map[string]string{"city": "Canaryville 42", "note": "<b>&"})
	spring := h.engage(person)
	h.engage(h.join("ann@example.org", "Somebody Else", nil))
	task := h.ask(privacyrequest.Access, person)
	d := desk.New(h.options())
	h.must(d.Fulfil(ctx, task))
	answer, ok := h.events(privacyrequest.Stream(task.Request))[1].(privacyrequest.AccessFulfilled)
	if !ok {
		t.Fatal("the request is not fulfilled")
	}
	h.engage(person) // later: not part of it
	bundle, err := d.Bundle(ctx, h.account, person, answer.Position)
	h.must(err)
	sum := sha256.Sum256(bundle.JSON)
	if hex.EncodeToString(sum[:]) != answer.SHA256 || bundle.SHA256 != answer.SHA256 || bundle.Events != answer.Events {
		t.Errorf("made again it is another bundle: %+v", answer)
	}
	var doc struct {
		Account struct{ Name string }
		Person  struct {
			Email, Name string
			Attributes  map[string]string
			Lists       []struct{ Name string }
		}
		Consent []struct {
			Purpose, Status string
			InForce         bool `json:"in_force"`
		}
		Campaigns []struct {
			ID   domain.ID
			Name string
		}
		Sources  []struct{ Source string }
		Timeline []struct {
			Type string
			Data map[string]any
		}
	}
	h.must(json.Unmarshal(bundle.JSON, &doc))
	if doc.Account.Name != "Canary Club" || doc.Person.Email != canaryEmail || doc.Person.Name != canaryName ||
		doc.Person.Attributes["note"] != "<b>&" || len(doc.Person.Lists) != 1 || doc.Person.Lists[0].Name != "Newsletter" {
		t.Errorf("person %+v", doc.Person)
	}
	if len(doc.Consent) != 1 || doc.Consent[0].Status != "given" || doc.Consent[0].InForce { // not confirmed
		t.Errorf("consent %+v", doc.Consent)
	}
	if len(doc.Campaigns) != 1 || doc.Campaigns[0].Name != "Spring" || doc.Campaigns[0].ID != spring || len(doc.Sources) != 1 {
		t.Errorf("campaigns %+v, sources %+v", doc.Campaigns, doc.Sources)
	}
	types := map[string]int{}
	for _, e := range doc.Timeline {
		types[e.Type]++
		if e.Type == "message.opened" && e.Data["ip"] != "203.0.113.77" {
			t.Errorf("an open without its address: %+v", e.Data)
		}
	}
	if types["subscriber.added"] != 1 || types["consent.given"] != 1 || types["message.opened"] != 1 || types["link.clicked"] != 1 || types["request.received"] != 1 {
		t.Errorf("timeline %v", types)
	}
	if bytes.Contains(bundle.JSON, []byte("ann@example.org")) {
		t.Error("somebody else is in it")
	}
}

func TestABundleIsNobodyElses(t *testing.T) {
	h := newHouse(t)
	person := h.join(canaryEmail, canaryName, nil)
	head, err := h.journal.Head(ctx)
	h.must(err)
	h.must(h.host.WaitAll(ctx, head))
	d := desk.New(h.options())
	if _, err := d.Bundle(ctx, newID(), person, head); !errors.Is(err, commands.ErrNotFound) {
		t.Errorf("another account: %v", err)
	}
	if _, err := d.Bundle(ctx, h.account, newID(), head); !errors.Is(err, commands.ErrNotFound) {
		t.Errorf("an unknown person: %v", err)
	}
}

func TestAnErasedPersonsBundleSaysSoAndHoldsNothing(t *testing.T) {
	h := newHouse(t)
	person := h.join(canaryEmail, canaryName, map[string]string{"city": "Canaryville 42"})
	d := desk.New(h.options())
	h.must(d.Fulfil(ctx, h.ask(privacyrequest.Erasure, person)))
	task := h.ask(privacyrequest.Access, person)
	h.must(d.Fulfil(ctx, task))
	answer := h.events(privacyrequest.Stream(task.Request))[1].(privacyrequest.AccessFulfilled)
	bundle, err := d.Bundle(ctx, h.account, person, answer.Position)
	h.must(err)
	if !bytes.Contains(bundle.JSON, []byte(`"erased": true`)) {
		t.Errorf("%s", bundle.JSON)
	}
	for _, n := range needles {
		if bytes.Contains(bundle.JSON, []byte(n)) {
			t.Error("something of the person is in it")
		}
	}
}

func TestRequestsOpenBeforeTheStartAndAfterItAreFulfilled(t *testing.T) {
	h := newHouse(t)
	early := h.ask(privacyrequest.Erasure, h.join("early@example.org", "Early Bird", nil))
	broken := h.ask(privacyrequest.Erasure, newID()) // of nobody: it cannot be fulfilled
	type outcome struct {
		task desk.Task
		err  error
	}
	reports := make(chan outcome, 100)
	options := h.options()
	options.Report = func(t desk.Task, _ time.Duration, err error) {
		select {
		case reports <- outcome{t, err}:
		default:
		}
	}
	running, stop := context.WithCancel(ctx)
	done := make(chan error, 1)
	go func() { done <- desk.New(options).Run(running) }()
	var late desk.Task
	fulfilled, failed := map[domain.ID]bool{}, 0
	for deadline := time.After(20 * time.Second); len(fulfilled) < 2 || failed < 2; {
		select {
		case r := <-reports:
			switch {
			case r.task == broken && errors.Is(r.err, commands.ErrNotFound):
				failed++ // tried again and again, in nobody's way
			case r.err != nil:
				t.Fatalf("%s: %v", r.task.Kind, r.err)
			default:
				fulfilled[r.task.Request] = true
			}
			if late.Request.IsZero() {
				late = h.ask(privacyrequest.Access, h.join("late@example.org", "Late Riser", nil))
			}
		case <-deadline:
			t.Fatalf("fulfilled %d, failed %d", len(fulfilled), failed)
		}
	}
	if !fulfilled[early.Request] || !fulfilled[late.Request] {
		t.Error("the wrong ones")
	}
	stop()
	h.must(<-done)
	checkErased(t, h, early, 0, 0)
}

// betweenSteps does something the moment the directory first forgets.
type betweenSteps struct {
	desk.Directory
	do func()
}

func (d *betweenSteps) Forget(ctx context.Context, account domain.ID, address string, person domain.ID, suppress bool) error {
	if do := d.do; do != nil {
		d.do = nil
		do()
	}
	return d.Directory.Forget(ctx, account, address, person, suppress)
}

func TestAnAddressGivenInTheMiddleOfAnErasureIsSuppressedToo(t *testing.T) {
	h := newHouse(t)
	person := h.join("old@example.org", "Some Body", nil)
	options := h.options()
	options.Directory = &betweenSteps{h.keys, func() {
		h.must(h.keys.Move(ctx, h.account, "old@example.org", "new@example.org", person))
		h.do(commands.Handle(ctx, h.journal, h.request(), commands.RectifySubscriber{
			Person: person, Email: personal.Of("new@example.org"), Source: subscriber.SourceAPI,
		}))
	}}
	h.must(desk.New(options).Fulfil(ctx, h.ask(privacyrequest.Erasure, person)))
	for _, address := range []string{"old@example.org", "new@example.org"} {
		_, found, err := h.keys.Find(ctx, h.account, address)
		h.must(err)
		if suppressed, err := h.keys.Suppressed(ctx, h.account, address); err != nil || found || !suppressed {
			t.Errorf("%s: found %v, suppressed %v, %v", address, found, suppressed, err)
		}
	}
}

// A second request to restrict names the event of the first; one that comes
// after an erasure, the redaction.
func TestARequestForWhatHoldsAlready(t *testing.T) {
	h := newHouse(t)
	person := h.join("twice@example.org", "Some Body", nil)
	d := desk.New(h.options())
	certificate := func(kind privacyrequest.Kind) any {
		task := h.ask(kind, person)
		h.must(d.Fulfil(ctx, task))
		return h.events(privacyrequest.Stream(task.Request))[1]
	}
	first := certificate(privacyrequest.Restriction)
	if again := certificate(privacyrequest.Restriction); again != first {
		t.Errorf("%+v, then %+v", first, again)
	}
	certificate(privacyrequest.Objection)
	redaction := certificate(privacyrequest.Erasure).(privacyrequest.ErasureFulfilled).Redaction
	if late := certificate(privacyrequest.Objection); late != (privacyrequest.ObjectionFulfilled{Hold: redaction}) {
		t.Errorf("after the redaction %s: %+v", redaction, late)
	}
}
