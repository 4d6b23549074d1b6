package delivery_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/cleversender/cleversender/domain"
	"github.com/cleversender/cleversender/domain/delivery"
	"github.com/cleversender/cleversender/domain/event"
)

var (
	mailing = domain.ID{15: 1}.Derive("campaign")
	first   = domain.ID{15: 1}.Derive("first worker")
	second  = domain.ID{15: 1}.Derive("second worker")
)

func person(ordinal int) domain.ID { return domain.ID{0: 1, 14: byte(ordinal >> 8), 15: byte(ordinal)} }

// after replays events on a segment of n recipients, ordinals from 100.
func after(n int, events ...delivery.Event) delivery.Segment {
	people := make(delivery.Subjects, n)
	for i := range people {
		people[i] = person(100 + i)
	}
	var s delivery.Segment
	for _, e := range append([]delivery.Event{delivery.Planned{Campaign: mailing, First: 100, Subjects: people}}, events...) {
		s = s.Evolve(e)
	}
	return s
}

func intended(ordinal int) delivery.Event {
	return delivery.Intended{Campaign: mailing, Subjects: delivery.Subjects{person(ordinal)}, Ordinals: []int{ordinal}, Consents: []event.Position{7}}
}

func deferred(ordinal, code int) delivery.Event {
	return delivery.Deferred{Person: person(ordinal), Campaign: mailing, Ordinal: ordinal, Code: code}
}

func accepted(ordinal int) delivery.Event {
	return delivery.Accepted{Campaign: mailing, Subjects: delivery.Subjects{person(ordinal)}, Ordinals: []int{ordinal}, Code: 250}
}

// What a worker intended and did not settle is in doubt once another claims,
// and not when it renews its own claim.
func TestAnotherClaimPutsIntentsInDoubt(t *testing.T) {
	s := after(3, delivery.Claimed{Worker: first}, intended(100), intended(101), accepted(100))
	s = s.Evolve(delivery.Claimed{Worker: first})
	if got, _ := s.Of(101, person(101)); got != delivery.Pending {
		t.Errorf("after a renewal: %v, want pending", got)
	}
	s = s.Evolve(delivery.Claimed{Worker: second})
	if got, _ := s.Of(101, person(101)); got != delivery.InDoubt {
		t.Errorf("after another's claim: %v, want in doubt", got)
	}
	if got, want := s.Totals(), (delivery.Totals{Sent: 1, Unknown: 1}); got != want {
		t.Errorf("totals %+v, want %+v", got, want)
	}
	if got := s.Waiting(); !cmp.Equal(got, []delivery.Recipient{{Person: person(102), Ordinal: 102}}) {
		t.Errorf("waiting %v, want 102 alone", got)
	}
}

// Who was told not now is deferred; who was called back in time waits as before.
func TestWaitingAndDeferred(t *testing.T) {
	s := after(3, delivery.Claimed{Worker: first}, intended(100), intended(101), deferred(100, 451), deferred(101, 0))
	if got, want := s.Waiting(), []delivery.Recipient{{Person: person(101), Ordinal: 101}, {Person: person(102), Ordinal: 102}}; !cmp.Equal(got, want) {
		t.Errorf("waiting %v, want %v", got, want)
	}
	if got, want := s.Deferred(), []delivery.Recipient{{Person: person(100), Ordinal: 100}}; !cmp.Equal(got, want) {
		t.Errorf("deferred %v, want %v", got, want)
	}
}

// A server may say not now only so often; a message that never left costs no try.
func TestJudgeGivesUpAfterTheLastTry(t *testing.T) {
	r := delivery.Recipient{Person: person(100), Ordinal: 100}
	notNow := delivery.Reply{Outcome: delivery.NotNow, Code: 451, Enhanced: "4.7.1"}
	s := after(1, delivery.Claimed{Worker: first}, intended(100), deferred(100, 0), intended(100), deferred(100, 451), intended(100))
	if got, ok := s.Judge(r, notNow, 3); !ok || got.To != delivery.Again || got.Code != 451 {
		t.Errorf("second try: %+v, want another one", got)
	}
	s = s.Evolve(deferred(100, 451)).Evolve(intended(100))
	want := delivery.Result{Recipient: r, To: delivery.Undelivered, Code: 451, Enhanced: "4.7.1", Reason: delivery.Unreachable}
	if got, ok := s.Judge(r, notNow, 3); !ok || !cmp.Equal(got, want) {
		t.Errorf("third try: %+v, want %+v", got, want)
	}
	if got, ok := s.Judge(r, delivery.Reply{Outcome: delivery.Unclear}, 3); ok {
		t.Errorf("unclear: %+v, want nothing to record", got)
	}
}

// An earlier state is not changed by what happens later.
func TestEvolveLeavesTheStateAlone(t *testing.T) {
	before := after(2, delivery.Claimed{Worker: first}, intended(100))
	before.Evolve(accepted(100))
	before.Evolve(delivery.Claimed{Worker: second})
	before.Evolve(deferred(100, 450))
	if got, _ := before.Of(100, person(100)); got != delivery.Pending || before.Totals() != (delivery.Totals{}) {
		t.Errorf("%v and %+v, want pending and nothing settled", got, before.Totals())
	}
}
