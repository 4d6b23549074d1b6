package commands_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	. "github.com/cleversender/cleversender/commands"
	"github.com/cleversender/cleversender/domain"
	"github.com/cleversender/cleversender/domain/consent"
	"github.com/cleversender/cleversender/domain/event"
	"github.com/cleversender/cleversender/domain/list"
	"github.com/cleversender/cleversender/domain/subscriber"
)

// memory is a log that keeps what it is given; before each append, meanwhile
// may let somebody else be faster.
type memory struct {
	streams   map[string][]event.Recorded
	position  event.Position
	meanwhile func()
	broken    error
}

func newMemory() *memory { return &memory{streams: map[string][]event.Recorded{}} }

func (m *memory) Load(_ context.Context, stream string) ([]event.Recorded, error) {
	return slices.Clone(m.streams[stream]), m.broken
}

func (m *memory) Record(_ context.Context, stream string, expect uint64, drafts []event.Draft) (event.Position, error) {
	if f := m.meanwhile; f != nil {
		m.meanwhile = nil
		f()
	}
	if m.broken != nil {
		return 0, m.broken
	}
	if uint64(len(m.streams[stream])) != expect {
		return 0, domain.ErrConflict
	}
	for _, d := range drafts {
		m.position++
		m.streams[stream] = append(m.streams[stream], event.Recorded{
			Stream: stream, Revision: uint64(len(m.streams[stream]) + 1), Position: m.position, ID: d.ID, Meta: d.Meta, Data: d.Data,
		})
	}
	return m.position, nil
}

var (
	acmeAsks   = Request{ID: domain.ID{0xa}, Account: one, Actor: two}
	createList = CreateList{List: three, Name: "Letter"}
)

// A command is recorded once, in an envelope that says whose it is and why.
func TestHandle(t *testing.T) {
	log := newMemory()
	done, err := Handle(t.Context(), log, acmeAsks, createList)
	if err != nil || done != (Done{Position: 1, Events: 1}) {
		t.Fatal(done, err)
	}
	got := log.streams[list.Stream(three)][0]
	want := event.Meta{Account: one, Actor: two, Correlation: acmeAsks.ID, Causation: acmeAsks.ID}
	if got.Meta != want || got.Data != (list.Created{Name: "Letter"}) {
		t.Errorf("%+v", got)
	}
	if done, err = Handle(t.Context(), log, acmeAsks, createList); err != nil || done != (Done{}) || log.position != 1 {
		t.Errorf("asked twice: %+v, %v, %d events", done, err, log.position)
	}
}

// The person is the subject of what is recorded about them.
func TestHandleNamesTheSubject(t *testing.T) {
	log := newMemory()
	req := acmeAsks
	req.Correlation = three
	if _, err := Handle(t.Context(), log, req, add); err != nil {
		t.Fatal(err)
	}
	for _, e := range log.streams[subscriber.Stream(ada)] {
		if e.Meta.Subject != ada || e.Meta.Correlation != three || strings.Contains(e.Stream, "@") {
			t.Errorf("%+v", e.Meta)
		}
	}
}

// Event ids derive from the request, the stream and the place in it: the same
// request writes the same ids wherever it runs, another one others.
func TestEventIDsDerive(t *testing.T) {
	ids := func(req Request, after uint64) (ids []domain.ID) {
		for _, d := range Drafts(req, add, subscriberPast{added, onOne}, after) {
			ids = append(ids, d.ID)
		}
		return ids
	}
	first := ids(acmeAsks, 0)
	if !slices.Equal(first, ids(acmeAsks, 0)) || first[0] == first[1] || first[0].IsZero() {
		t.Error("a retry would write other events")
	}
	other := acmeAsks
	other.ID = domain.ID{0xb}
	if later := ids(acmeAsks, 1); slices.Contains(ids(other, 0), first[0]) || later[0] != first[1] {
		t.Error("two requests, or two places, have one id")
	}
}

// A lost race is decided again, on what the winner left.
func TestLostRaceIsDecidedAgain(t *testing.T) {
	log := newMemory()
	for _, cmd := range []Command[subscriber.Subscriber, subscriber.Event]{add, give} {
		if _, err := Handle(t.Context(), log, acmeAsks, cmd); err != nil {
			t.Fatal(err)
		}
	}
	bobAsks := acmeAsks
	bobAsks.ID = domain.ID{0xb}
	log.meanwhile = func() {
		if _, err := Handle(context.Background(), log, bobAsks, revoke); err != nil {
			t.Error(err)
		}
	}
	// The file would assert open tracking only; the one who is faster says no to mailing.
	done, err := Handle(t.Context(), log, acmeAsks, importIt)
	if err != nil || done.Events != 1 {
		t.Fatal(done, err)
	}
	past := log.streams[subscriber.Stream(ada)]
	if e, ok := past[len(past)-1].Data.(consent.Asserted); !ok || !slices.Equal(e.Purposes, both[1:]) {
		t.Errorf("%+v", past[len(past)-1].Data)
	}
	log.meanwhile = func() {
		if _, err := Handle(context.Background(), log, bobAsks, EraseSubscriber{Person: ada, Request: two}); err != nil {
			t.Error(err)
		}
	}
	if _, err := Handle(t.Context(), log, acmeAsks, rectify); !errors.Is(err, ErrErased) {
		t.Errorf("recorded about the erased: %v", err)
	}
}

// Who loses every race is told so; nothing is written.
func TestConflictInTheEnd(t *testing.T) {
	log := newMemory()
	stream := list.Stream(three)
	var faster func()
	faster = func() {
		log.streams[stream] = append(log.streams[stream], event.Recorded{Meta: event.Meta{Account: one}, Data: list.Archived{}})
		log.meanwhile = faster
	}
	log.meanwhile = faster
	if _, err := Handle(t.Context(), log, acmeAsks, createList); !errors.Is(err, domain.ErrConflict) {
		t.Errorf("%v", err)
	}
}

// What another account holds looks like what does not exist, and so does what
// is about somebody else.
func TestNotFound(t *testing.T) {
	log := newMemory()
	_, err1 := Handle(t.Context(), log, acmeAsks, createList)
	_, err2 := Handle(t.Context(), log, acmeAsks, openAccess)
	if err := errors.Join(err1, err2); err != nil {
		t.Fatal(err)
	}
	stranger := Request{ID: domain.ID{0xc}, Account: two}
	if _, err := Handle(t.Context(), log, stranger, archive); !errors.Is(err, ErrNotFound) {
		t.Errorf("another account: %v", err)
	}
	if _, err := Handle(t.Context(), log, stranger, createList); !errors.Is(err, ErrNotFound) {
		t.Errorf("another account creates the same: %v", err)
	}
	other := bundle
	other.Person = two
	if _, err := Handle(t.Context(), log, acmeAsks, other); !errors.Is(err, ErrNotFound) {
		t.Errorf("another person: %v", err)
	}
	for _, c := range []struct {
		account domain.ID
		stream  string
		want    error
	}{
		{one, list.Stream(three), nil},
		{two, list.Stream(three), ErrNotFound},
		{one, list.Stream(two), ErrNotFound},
	} {
		if err := Exists(t.Context(), log, c.account, c.stream); !errors.Is(err, c.want) {
			t.Errorf("exists for %s: %v", c.account, err)
		}
	}
}

// A request that cannot be told from another is a fault; so is a broken log.
// Neither is a refusal, and neither repeats what it was asked.
func TestFaults(t *testing.T) {
	log := newMemory()
	var refusal domain.Refusal
	for _, req := range []Request{{}, {ID: one}, {Account: one}} {
		if _, err := Handle(t.Context(), log, req, createList); err == nil || errors.As(err, &refusal) {
			t.Errorf("%+v: %v", req, err)
		}
	}
	log.broken = errors.New("disk is gone")
	_, err := Handle(t.Context(), log, acmeAsks, add)
	if !errors.Is(err, log.broken) || errors.As(err, &refusal) || strings.Contains(err.Error(), "example.org") {
		t.Errorf("%v", err)
	}
	if err := Exists(t.Context(), log, one, "list-x"); !errors.Is(err, log.broken) {
		t.Errorf("%v", err)
	}
}
