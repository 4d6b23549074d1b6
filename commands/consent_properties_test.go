package commands_test

import (
	"reflect"
	"testing"

	"pgregory.net/rapid"

	. "github.com/cleversender/cleversender/commands"
	"github.com/cleversender/cleversender/domain/consent"
	"github.com/cleversender/cleversender/domain/subscriber"
)

// Whatever is asked in whatever order: a no stays a no until the person's own
// yes or proof, and an import changes no answer but a missing one.
func TestOnlyThePersonTakesANoBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var s subscriber.Subscriber
		for _, cmd := range rapid.SliceOfN(anySubscriberCommand(), 0, 30).Draw(t, "asked") {
			events, _ := cmd.Decide(s)
			for _, e := range events {
				before := s
				s = s.Evolve(e)
				_, isImport := cmd.(ImportSubscriber)
				for _, a := range before.Consents {
					now := s.Consents.Of(a.Key)
					if s.Erased || now.Status == a.Status {
						continue
					}
					if isImport && !a.Unanswered() {
						t.Fatalf("an import took %+v to %+v", a, now)
					}
					if a.Status == consent.StatusRevoked && !backByThePerson(cmd, a.State) {
						t.Fatalf("%T took a no to %+v", cmd, now)
					}
				}
			}
		}
	})
}

func backByThePerson(cmd any, was consent.State) bool {
	switch c := cmd.(type) {
	case GiveConsent:
		return c.Method != consent.ByImport
	case ConfirmConsent:
		return c.Method != consent.ByImport && was.Asked
	}
	return false
}

// Nothing is recorded after the redaction, whatever is asked; and it is asked
// once only.
func TestNothingFollowsAnErasure(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s, past := lived(t, anySubscriberCommand())
		if s.Exists && !s.Erased {
			s, past = s.Evolve(gone), append(past, gone)
		}
		for i, e := range past {
			if _, redaction := e.(subscriber.Erased); redaction && i != len(past)-1 {
				t.Fatalf("%T after the redaction", past[i+1])
			}
		}
		if !s.Erased {
			return
		}
		if !reflect.DeepEqual(s, subscriber.Subscriber{Exists: true, Erased: true}) {
			t.Fatalf("left: %+v", s)
		}
		if events, _ := anySubscriberCommand().Draw(t, "command").Decide(s); len(events) > 0 {
			t.Fatalf("recorded after the redaction: %v", events)
		}
	})
}

// The state of a person's consents is the law's, event by event: what a read
// model folds is what a command decides on.
func TestReadModelsFoldTheSameLaw(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s, past := lived(t, anySubscriberCommand())
		folded := map[consent.Key]consent.State{}
		for _, e := range past {
			for k := range consent.Keys(e) {
				folded[k], _ = folded[k].Apply(e)
			}
		}
		for k, want := range folded {
			if got := s.Consents.Of(k); !s.Erased && got != want {
				t.Fatalf("%v: %+v, folded %+v", k, got, want)
			}
		}
	})
}
