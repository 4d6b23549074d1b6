package eventlog_test

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/cleversender/cleversender/adapters/eventlog"
	"github.com/cleversender/cleversender/adapters/eventlog/logtest"
	"github.com/cleversender/cleversender/adapters/eventlog/memory"
	"github.com/cleversender/cleversender/domain"
	"github.com/cleversender/cleversender/domain/event"
	"github.com/cleversender/cleversender/domain/personal"
)

// met is an event of two classes; left is one without personal values.
type met struct {
	Name  personal.Text   `json:"name" personal:"identity"`
	More  personal.Fields `json:"more" personal:"identity"`
	IP    personal.Text   `json:"ip" personal:"behaviour"`
	Times int             `json:"times"`
}

type left struct {
	Why string `json:"why"`
}

// shared is about several people.
type shared struct {
	People []domain.ID `json:"people"`
}

func (e shared) Only(person domain.ID) any {
	e.People = slices.DeleteFunc(slices.Clone(e.People), func(id domain.ID) bool { return id != person })
	return e
}

var (
	types   = event.NewCatalog([]event.Type{event.Define[met]("met"), event.Define[left]("left"), event.Define[shared]("shared")})
	account = logtest.ID(1)
	ada     = logtest.ID(2)
	bob     = logtest.ID(3)
)

type journal struct {
	*testing.T
	*eventlog.Journal
	log  *memory.Log
	keys *keys
}

func newJournal(t *testing.T) journal {
	log, keys := memory.New(), newKeys()
	t.Cleanup(func() { _ = log.Close() })
	return journal{t, eventlog.NewJournal(log, types, keys, now), log, keys}
}

func now() time.Time { return time.Date(2026, 1, 2, 3, 4, 5, 678901234, time.FixedZone("", 3600)) }

func about(person domain.ID, n uint64, data any) event.Draft {
	return event.Draft{ID: person.Derive(string(rune(n))), Meta: event.Meta{Account: account, Subject: person}, Data: data}
}

func adaMet() met {
	return met{
		Name: personal.Of("Ada Lovelace"), More: personal.FieldsOf(map[string]string{"city": "London"}),
		IP: personal.Of("192.0.2.7"), Times: 3,
	}
}

// load returns a stream's events, open.
func (j journal) load(stream string) []event.Recorded {
	j.Helper()
	events, err := j.Load(j.Context(), stream)
	if err != nil {
		j.Fatal(err)
	}
	return events
}

func (j journal) append(stream string, expect uint64, drafts ...event.Draft) {
	j.Helper()
	if _, err := j.Append(j.Context(), stream, expect, drafts...); err != nil {
		j.Fatal(err)
	}
}

func (j journal) revealed(m met) []string {
	name, ok1 := m.Name.Reveal()
	more, ok2 := m.More.Reveal()
	ip, ok3 := m.IP.Reveal()
	if !ok1 || !ok2 || !ok3 {
		j.Errorf("not open: name %v, more %v, ip %v", ok1, ok2, ok3)
	}
	return []string{name, more["city"], ip}
}

func TestWhatIsAppendedIsLoadedOpen(t *testing.T) {
	j := newJournal(t)
	j.append("s", 0, about(ada, 0, adaMet()), about(ada, 1, left{"bored"}))
	got := j.load("s")
	if diff := cmp.Diff([]string{"Ada Lovelace", "London", "192.0.2.7"}, j.revealed(got[0].Data.(met))); diff != "" {
		t.Error(diff)
	}
	want := event.Recorded{
		Stream: "s", Revision: 2, Position: 2, ID: about(ada, 1, nil).ID, Type: "left",
		At: time.Date(2026, 1, 2, 2, 4, 5, 678901000, time.UTC), Meta: event.Meta{Account: account, Subject: ada}, Data: left{"bored"},
	}
	if diff := cmp.Diff(want, got[1]); diff != "" {
		t.Error(diff)
	}
}

func TestTheLogHoldsNoPlainPersonalBytes(t *testing.T) {
	j := newJournal(t)
	draft := adaMet()
	j.append("s", 0, about(ada, 0, draft))
	stored, err := j.log.ReadAt(t.Context(), []event.Position{1})
	if err != nil {
		t.Fatal(err)
	}
	for _, plain := range []string{"Ada", "Lovelace", "London", "192.0.2.7", "QWRh", "TG9uZG9u"} { // plain, and in base64
		if bytes.Contains(stored[0].Data, []byte(plain)) {
			t.Errorf("stored data holds %q", plain)
		}
	}
	if name, ok := draft.Name.Reveal(); name != "Ada Lovelace" || !ok {
		t.Error("appending sealed the caller's value")
	}
}

func TestWhatIsFollowedStaysSealedUntilOpened(t *testing.T) {
	j := newJournal(t)
	j.append("s", 0, about(ada, 0, adaMet()))
	for page, err := range j.Follow(t.Context(), 0, nil, 10) {
		if err != nil {
			t.Fatal(err)
		}
		m := page.Events[0].Data.(met)
		if _, ok := m.Name.Reveal(); ok || m.Name.Sealed() == nil {
			t.Error("the name is not sealed")
		}
		if err := j.Open(t.Context(), page.Events); err != nil {
			t.Fatal(err)
		}
		j.revealed(page.Events[0].Data.(met))
		break
	}
}

func TestADestroyedKeyReadsAsErased(t *testing.T) {
	j := newJournal(t)
	j.append("s", 0, about(ada, 0, adaMet()))
	j.keys.shred(personal.KeyRef{Subject: ada, Class: personal.Identity})
	m := j.load("s")[0].Data.(met)
	if !m.Name.IsErased() || !m.More.IsErased() {
		t.Error("name or more is not erased")
	}
	if ip, ok := m.IP.Reveal(); ip != "192.0.2.7" || !ok {
		t.Error("a class whose key is there was erased too")
	}
}

func TestNothingPersonalIsRecordedOfTheErased(t *testing.T) {
	j := newJournal(t)
	j.append("s", 0, about(ada, 0, adaMet()))
	j.keys.shred(personal.KeyRef{Subject: ada, Class: personal.Identity})
	if _, err := j.Append(t.Context(), "s", 1, about(ada, 1, adaMet())); !errors.Is(err, eventlog.ErrErased) {
		t.Errorf("error %v", err)
	}
	j.append("s", 1, about(ada, 1, met{Times: 4}), about(ada, 2, left{"erased"})) // nothing to seal
}

func TestAPersonalValueNeedsAPerson(t *testing.T) {
	j := newJournal(t)
	if _, err := j.Append(t.Context(), "s", 0, about(domain.ID{}, 0, adaMet())); err == nil {
		t.Error("a personal value of nobody was recorded")
	}
	if len(j.keys.byRef) > 0 {
		t.Error("a key of nobody was made")
	}
}

func TestABulkFailsOneByOne(t *testing.T) {
	j := newJournal(t)
	j.append("taken", 0, about(bob, 9, left{"early"}))
	j.append("x", 0, about(ada, 9, adaMet()))
	for _, c := range []personal.Class{personal.Identity, personal.Behaviour} {
		j.keys.shred(personal.KeyRef{Subject: ada, Class: c})
	}
	results, errs := j.AppendBulk(t.Context(), []eventlog.Write{
		{Stream: "a", Events: []event.Draft{about(bob, 0, adaMet())}},
		{Stream: "b", Events: []event.Draft{about(ada, 1, adaMet())}},
		{Stream: "taken", Events: []event.Draft{about(bob, 2, left{"late"})}},
		{Stream: "c", Events: []event.Draft{about(bob, 3, left{"fine"})}},
	})
	if errs[0] != nil || !errors.Is(errs[1], eventlog.ErrErased) || !errors.Is(errs[2], domain.ErrConflict) || errs[3] != nil {
		t.Fatalf("errors %v", errs)
	}
	if results[0].Position != 3 || results[3].Position != 4 {
		t.Errorf("results %v", results)
	}
}

func TestWithoutKeysNothingIsWritten(t *testing.T) {
	j := newJournal(t)
	j.keys.failed = errors.New("locked")
	if _, err := j.Append(t.Context(), "s", 0, about(ada, 0, adaMet())); !errors.Is(err, j.keys.failed) {
		t.Errorf("error %v", err)
	}
	if head, _ := j.Head(t.Context()); head != 0 {
		t.Errorf("head %d", head)
	}
}

func TestALostKeyIsAnErrorAndNotAnErasure(t *testing.T) {
	j := newJournal(t)
	j.append("s", 0, about(ada, 0, adaMet()))
	clear(j.keys.byRef)
	if _, err := j.Load(t.Context(), "s"); err == nil {
		t.Error("a key that was lost went unnoticed")
	}
}

// What is read for one person shows nobody else; what is the person's alone is whole.
func TestReadForShowsOnePerson(t *testing.T) {
	j := newJournal(t)
	j.append("s", 0, about(ada, 0, left{"moved"}))
	j.append("both", 0, about(domain.ID{}, 5, shared{[]domain.ID{ada, bob}}))
	got, err := j.ReadFor(t.Context(), bob, []event.Position{1, 2})
	if err != nil || len(got) != 2 {
		t.Fatal(got, err)
	}
	if diff := cmp.Diff([]any{left{"moved"}, shared{[]domain.ID{bob}}}, []any{got[0].Data, got[1].Data}); diff != "" {
		t.Error(diff)
	}
}

func TestASealedValueOpensInItsPlaceOnly(t *testing.T) {
	j := newJournal(t)
	j.append("s", 0, about(ada, 0, adaMet()))
	j.append("other", 0, about(ada, 5, left{}))
	recorded, err := j.ReadAt(t.Context(), []event.Position{1})
	if err != nil {
		t.Fatal(err)
	}
	sealed := recorded[0].Data.(met).Name.Sealed()
	right := eventlog.SealedValue{
		Account: account, Subject: ada, Event: recorded[0].ID, Stream: "s", Field: "name", Class: personal.Identity,
	}
	value := personal.SealedText(sealed)
	right.Value = &value
	if err := j.OpenValues(t.Context(), []eventlog.SealedValue{right}); err != nil {
		t.Fatal(err)
	}
	if name, _ := value.Reveal(); name != "Ada Lovelace" {
		t.Error("the name did not open")
	}
	for what, move := range map[string]func(*eventlog.SealedValue){
		"account": func(v *eventlog.SealedValue) { v.Account = bob },
		"stream":  func(v *eventlog.SealedValue) { v.Stream = "other" },
		"event":   func(v *eventlog.SealedValue) { v.Event = bob },
		"field":   func(v *eventlog.SealedValue) { v.Field = "ip" },
		"class":   func(v *eventlog.SealedValue) { v.Class = personal.Behaviour },
		"bytes": func(v *eventlog.SealedValue) {
			value = personal.SealedText(append(bytes.Clone(sealed[:len(sealed)-1]), sealed[len(sealed)-1]^1))
		},
		"length": func(v *eventlog.SealedValue) { value = personal.SealedText(sealed[:20]) },
	} {
		moved := right
		value = personal.SealedText(sealed)
		move(&moved)
		err := j.OpenValues(t.Context(), []eventlog.SealedValue{moved})
		if _, ok := value.Reveal(); err == nil || ok {
			t.Errorf("with another %s it opened", what)
		}
		if err != nil && strings.Contains(err.Error(), "Ada") {
			t.Errorf("the error shows the value: %v", err)
		}
	}
}

func TestTheErasedAmongValuesOfAReadModel(t *testing.T) {
	j := newJournal(t)
	j.append("s", 0, about(ada, 0, adaMet()))
	recorded, err := j.ReadAt(t.Context(), []event.Position{1})
	if err != nil {
		t.Fatal(err)
	}
	j.keys.shred(personal.KeyRef{Subject: ada, Class: personal.Identity})
	gone := personal.SealedText(recorded[0].Data.(met).Name.Sealed())
	empty := personal.Text{}
	if err := j.OpenValues(t.Context(), []eventlog.SealedValue{
		{Account: account, Subject: ada, Event: recorded[0].ID, Stream: "s", Field: "name", Class: personal.Identity, Value: &gone},
		{Account: account, Subject: bob, Event: recorded[0].ID, Stream: "s", Field: "name", Class: personal.Identity, Value: &empty},
	}); err != nil {
		t.Fatal(err)
	}
	if !gone.IsErased() || !empty.IsEmpty() {
		t.Errorf("erased %v, empty %v", gone.IsErased(), empty.IsEmpty())
	}
}

// Values of several people open in whatever order they are asked for.
func TestValuesOfManyOpenInAnyOrder(t *testing.T) {
	j := newJournal(t)
	j.append("s", 0, about(ada, 0, adaMet()))
	j.append("other", 0, about(bob, 0, met{Name: personal.Of("Bob"), IP: personal.Of("192.0.2.8")}))
	recorded, err := j.ReadAt(t.Context(), []event.Position{1, 2})
	if err != nil {
		t.Fatal(err)
	}
	a, b := recorded[0].Data.(met), recorded[1].Data.(met)
	adas := eventlog.SealedValue{Account: account, Subject: ada, Event: recorded[0].ID, Stream: "s"}
	bobs := eventlog.SealedValue{Account: account, Subject: bob, Event: recorded[1].ID, Stream: "other"}
	var values []eventlog.SealedValue
	for _, v := range []struct {
		of    eventlog.SealedValue
		field string
		class personal.Class
		value personal.Value
	}{
		{adas, "name", personal.Identity, &a.Name},
		{bobs, "more", personal.Identity, &b.More}, // empty
		{adas, "ip", personal.Behaviour, &a.IP},
		{bobs, "name", personal.Identity, &b.Name},
		{adas, "more", personal.Identity, &a.More},
		{bobs, "ip", personal.Behaviour, &b.IP},
	} {
		v.of.Field, v.of.Class, v.of.Value = v.field, v.class, v.value
		values = append(values, v.of)
	}
	if err := j.OpenValues(t.Context(), values); err != nil {
		t.Fatal(err)
	}
	got := append(j.revealed(a), j.revealed(b)...)
	if diff := cmp.Diff([]string{"Ada Lovelace", "London", "192.0.2.7", "Bob", "", "192.0.2.8"}, got); diff != "" {
		t.Error(diff)
	}
}

// put writes an event as another version of the software would have.
func (j journal) put(stream string, typ string, version int, data string) {
	j.Helper()
	head, _ := j.log.Head(j.Context())
	e := event.Stored{ID: logtest.ID(uint64(head) + 100), Type: typ, Version: version, Data: []byte(data)}
	if _, err := j.log.Append(j.Context(), eventlog.Append{Stream: stream, Events: []event.Stored{e}}); err != nil {
		j.Fatal(err)
	}
}

func TestAnEventFromTheFutureStopsWhoReadsIt(t *testing.T) {
	for _, future := range []struct {
		typ     string
		version int
	}{{"flew", 1}, {"left", 2}} {
		j := newJournal(t)
		j.append("s", 0, about(ada, 0, left{"first"}))
		j.put("future", future.typ, future.version, `{}`)
		var last error
		for _, err := range j.Follow(t.Context(), 0, nil, 1) {
			last = err
		}
		if !errors.Is(last, event.ErrNewer) {
			t.Errorf("%s v%d: following ended with %v", future.typ, future.version, last)
		}
		if _, err := j.Load(t.Context(), "future"); !errors.Is(err, event.ErrNewer) {
			t.Errorf("%s v%d: loading ended with %v", future.typ, future.version, err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		for page, err := range j.Follow(ctx, 0, []string{"left"}, 1) {
			if err != nil && future.typ == "flew" {
				t.Errorf("who does not read it was stopped: %v", err)
			}
			if page.Next == 2 {
				cancel()
			}
		}
		cancel()
	}
}

// Who asks for other types, or for envelopes alone, is stopped too when the log
// knows what the software can read.
func TestAnEventFromTheFutureStopsEverybody(t *testing.T) {
	for _, future := range []struct {
		typ     string
		version int
	}{{"flew", 1}, {"left", 2}} {
		j := newJournal(t)
		j.log.Known = types.Versions()
		j.append("s", 0, about(ada, 0, left{"first"}))
		j.put("future", future.typ, future.version, `{}`)
		var last error
		for _, err := range j.Follow(t.Context(), 0, []string{"shared"}, 10) {
			last = err
		}
		if !errors.Is(last, event.ErrNewer) {
			t.Errorf("%s v%d: following another type ended with %v", future.typ, future.version, last)
		}
		for page, err := range j.FollowStored(t.Context(), 0, nil, 10) {
			if err != nil {
				t.Fatal(err)
			}
			before, err := j.DecodePage(page, map[string]bool{"shared": true})
			if !errors.Is(err, event.ErrNewer) || len(before.Events) != 1 {
				t.Errorf("%s v%d: %d envelopes, %v", future.typ, future.version, len(before.Events), err)
			}
			break
		}
	}
}

func TestPoisonIsReportedAndLeftOut(t *testing.T) {
	j := newJournal(t)
	j.append("s", 0, about(ada, 0, left{"first"}))
	j.put("torn", "left", 1, `{"why":`)
	j.append("s", 1, about(ada, 1, left{"second"}))
	for page, err := range j.Follow(t.Context(), 0, nil, 10) {
		if err != nil {
			t.Fatal(err)
		}
		if len(page.Events) != 2 || len(page.Poison) != 1 || page.Next != 3 {
			t.Fatalf("%d events, %d poisonous, next %d", len(page.Events), len(page.Poison), page.Next)
		}
		if p := page.Poison[0]; p.Event.Position != 2 || p.Err == nil {
			t.Errorf("poison at %d: %v", p.Event.Position, p.Err)
		}
		break
	}
}

func TestWhatIsNoEventIsNotWritten(t *testing.T) {
	j := newJournal(t)
	if _, err := j.Append(t.Context(), "s", 0, about(ada, 0, "a string")); err == nil {
		t.Error("it was written")
	}
}
