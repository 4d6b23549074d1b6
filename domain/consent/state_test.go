package consent_test

import (
	"reflect"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/cleversender/cleversender/domain"
	. "github.com/cleversender/cleversender/domain/consent"
)

var (
	letter = domain.ID{1}

	asked     = Requested{Purpose: Mailing, List: letter, Method: ByForm}
	asserted  = Asserted{Purposes: []Purpose{Mailing}, List: letter}
	given     = Given{Purpose: Mailing, List: letter, Method: ByForm}
	confirmed = Confirmed{Purpose: Mailing, List: letter, Method: ByConfirmLink}
	revoked   = Revoked{Purpose: Mailing, List: letter, Method: ByOneClick}
)

// The law as a table: what was said, what stands, and whether mail may go out
// to a list with single and with double opt-in.
func TestLaw(t *testing.T) {
	for _, c := range []struct {
		name           string
		said           []any
		status         Status
		asked          bool
		single, double bool
	}{
		{"nobody said anything", nil, StatusNone, false, false, false},
		{"a question is no answer", []any{asked}, StatusRequested, true, false, false},
		{"a yes by form counts with single opt-in", []any{given}, StatusGiven, false, true, false},
		{"a yes after the question", []any{asked, given}, StatusGiven, true, true, false},
		{"double opt-in, complete", []any{asked, confirmed}, StatusConfirmed, false, true, true},
		{"a yes by form, then proven", []any{given, confirmed}, StatusConfirmed, false, true, true},
		{"the account's word counts on both", []any{asserted}, StatusAsserted, false, true, true},
		{"the account's word answers an open question", []any{asked, asserted}, StatusAsserted, true, true, true},
		{"the account's word is no proof of a yes given here", []any{given, asserted}, StatusGiven, false, true, false},
		{"the account's word replaces no proof", []any{asked, confirmed, asserted}, StatusConfirmed, false, true, true},
		{"the person's yes replaces the account's word", []any{asserted, given}, StatusGiven, false, true, false},
		{"a question lowers nothing", []any{asserted, asked}, StatusAsserted, true, true, true},
		{"asked and proven, the account's word becomes the person's", []any{asserted, asked, confirmed}, StatusConfirmed, false, true, true},
		{"a form cannot undo a proof", []any{asked, confirmed, given}, StatusConfirmed, false, true, true},
		{"a question cannot undo a proof", []any{asked, confirmed, asked}, StatusConfirmed, false, true, true},
		{"a confirmation of nothing is nothing", []any{confirmed}, StatusNone, false, false, false},
		{"nor of the account's word alone", []any{asserted, confirmed}, StatusAsserted, false, true, true},

		{"no is no, in advance too", []any{revoked}, StatusRevoked, false, false, false},
		{"no ends a proof", []any{asked, confirmed, revoked}, StatusRevoked, false, false, false},
		{"no ends the account's word", []any{asserted, revoked}, StatusRevoked, false, false, false},
		{"an import cannot raise a no", []any{given, revoked, asserted}, StatusRevoked, false, false, false},
		{"not even after the person asked again", []any{given, revoked, asked, asserted}, StatusRevoked, true, false, false},
		{"a question raises no no", []any{given, revoked, asked}, StatusRevoked, true, false, false},
		{"an old link does not bring back who left", []any{asked, confirmed, revoked, confirmed}, StatusRevoked, false, false, false},
		{"nor one from before the no", []any{asked, revoked, confirmed}, StatusRevoked, false, false, false},
		{"the person comes back by a form", []any{given, revoked, given}, StatusGiven, false, true, false},
		{"the person comes back by a new link", []any{given, revoked, asked, confirmed}, StatusConfirmed, false, true, true},
		{"a second no ends the new question", []any{given, revoked, asked, revoked, confirmed}, StatusRevoked, false, false, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			var s State
			for _, e := range c.said {
				s, _ = s.Apply(e)
			}
			if want := (State{c.status, c.asked}); s != want {
				t.Errorf("stands at %+v, want %+v", s, want)
			}
			if s.InForce(false) != c.single || s.InForce(true) != c.double {
				t.Errorf("in force %v, with double opt-in %v", s.InForce(false), s.InForce(true))
			}
		})
	}
}

func anyAnswer() *rapid.Generator[any] {
	return rapid.SampledFrom([]any{asked, asserted, given, confirmed, revoked})
}

// Revoked stays revoked unless the person gives again: by a yes, or by a
// confirmation of what was asked since. Imports never raise it.
func TestRevokedStaysRevoked(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var s State
		for _, e := range rapid.SliceOf(anyAnswer()).Draw(t, "before") {
			s, _ = s.Apply(e)
		}
		s, _ = s.Apply(revoked)
		askedSince := false
		for _, e := range rapid.SliceOf(anyAnswer()).Draw(t, "after") {
			next, _ := s.Apply(e)
			_, yes := e.(Given)
			_, proof := e.(Confirmed)
			if back := yes || proof && askedSince; (next.Status != StatusRevoked) != back || next.InForce(false) != back {
				t.Fatalf("%T took %+v to %+v", e, s, next)
			}
			if next.Status != StatusRevoked {
				return
			}
			switch e.(type) {
			case Requested:
				askedSince = true
			case Revoked:
				askedSince = false
			}
			s = next
		}
	})
}

// Only the person's no ends a consent in force on a single opt-in list, and
// only what somebody said begins one.
func TestOnlyANoEndsAYes(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var s State
		for _, e := range rapid.SliceOf(anyAnswer()).Draw(t, "said") {
			next, decided := s.Apply(e)
			_, no := e.(Revoked)
			_, question := e.(Requested)
			if s.InForce(false) && !next.InForce(false) && !no {
				t.Fatalf("%T ended %+v", e, s)
			}
			if !s.InForce(false) && next.InForce(false) && question {
				t.Fatalf("a question began %+v", next)
			}
			if decided != (next.Status != s.Status) {
				t.Fatalf("%T took %+v to %+v, decided %v", e, s, next, decided)
			}
			if again, decided := next.Apply(e); decided || again != next {
				t.Fatalf("%T, said twice, took %+v to %+v", e, next, again)
			}
			s = next
		}
	})
}

// What is no consent event changes nothing.
func TestOtherEventsChangeNothing(t *testing.T) {
	s := State{Status: StatusGiven, Asked: true}
	if next, decided := s.Apply("hello"); next != s || decided {
		t.Errorf("%+v", next)
	}
	if n := len(slices.Collect(Keys("hello"))); n > 0 {
		t.Errorf("%d keys", n)
	}
}

// Mailing is about a list; the other purposes hold for the account as a whole.
func TestKeys(t *testing.T) {
	got := slices.Collect(Keys(Asserted{Purposes: []Purpose{OpenTracking, Mailing}, List: letter}))
	if want := []Key{{OpenTracking, domain.ID{}}, {Mailing, letter}}; !reflect.DeepEqual(got, want) {
		t.Errorf("got %v", got)
	}
	for _, e := range []any{asked, given, confirmed, revoked} {
		if got := slices.Collect(Keys(e)); !reflect.DeepEqual(got, []Key{{Mailing, letter}}) {
			t.Errorf("%T: %v", e, got)
		}
	}
}

// A ledger keeps each answer apart, and the one before stays as it was.
func TestLedger(t *testing.T) {
	both := Asserted{Purposes: []Purpose{Mailing, OpenTracking}, List: letter}
	before := Ledger(nil).Apply(both)
	after := before.Apply(revoked)
	tracking := KeyOf(OpenTracking, letter)
	for _, c := range []struct {
		ledger Ledger
		key    Key
		want   Status
	}{
		{before, KeyOf(Mailing, letter), StatusAsserted},
		{before, tracking, StatusAsserted},
		{after, KeyOf(Mailing, letter), StatusRevoked},
		{after, tracking, StatusAsserted},
		{after, KeyOf(Mailing, domain.ID{2}), StatusNone},
	} {
		if got := c.ledger.Of(c.key).Status; got != c.want {
			t.Errorf("%v: %q, want %q", c.key, got, c.want)
		}
	}
}

// A ledger says what each key's own events say, whatever is mixed with them.
func TestLedgerIsTheLawPerKey(t *testing.T) {
	lists := []domain.ID{{1}, {2}}
	rapid.Check(t, func(t *rapid.T) {
		var ledger Ledger
		alone := map[Key]State{}
		for range rapid.IntRange(0, 20).Draw(t, "events") {
			list, p := rapid.SampledFrom(lists).Draw(t, "list"), rapid.SampledFrom(Purposes).Draw(t, "purpose")
			e := rapid.SampledFrom([]any{
				Requested{Purpose: p, List: list}, Given{Purpose: p, List: list}, Confirmed{Purpose: p, List: list},
				Revoked{Purpose: p, List: list}, Asserted{Purposes: []Purpose{Mailing, p}, List: list},
			}).Draw(t, "event")
			ledger = ledger.Apply(e)
			for k := range Keys(e) {
				alone[k], _ = alone[k].Apply(e)
			}
		}
		for k, want := range alone {
			if got := ledger.Of(k); got != want {
				t.Fatalf("%v: %+v, alone %+v", k, got, want)
			}
		}
	})
}

// A file is never the person's own word.
func TestFirstHand(t *testing.T) {
	for _, m := range Methods {
		if m.FirstHand() == (m == ByImport) {
			t.Errorf("%s: first hand %v", m, m.FirstHand())
		}
	}
	if Method("telepathy").FirstHand() || Purpose("fun").Known() {
		t.Error("what is not known passes")
	}
}
