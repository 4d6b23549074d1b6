package commands_test

import (
	"reflect"
	"testing"

	"pgregory.net/rapid"

	. "github.com/cleversender/cleversender/commands"
	"github.com/cleversender/cleversender/domain"
	"github.com/cleversender/cleversender/domain/consent"
	"github.com/cleversender/cleversender/domain/personal"
	"github.com/cleversender/cleversender/domain/subscriber"
)

type subscriberCommand = Command[subscriber.Subscriber, subscriber.Event]

func anySubscriberCommand() *rapid.Generator[subscriberCommand] {
	email := func(t *rapid.T) personal.Text {
		return of(t, "email", mail, mail, mail, text("bob@example.org"), text("x"))
	}
	called := func(t *rapid.T) personal.Text { return of(t, "name", name, text("Countess"), text(""), text("a\nb")) }
	facts := func(t *rapid.T) personal.Fields {
		return personal.FieldsOf(of(t, "attributes", map[string]string{"city": "London"}, nil, map[string]string{"city": "", "plan": "pro"}))
	}
	source := func(t *rapid.T) subscriber.Source {
		return of(t, "source", subscriber.SourceAPI, subscriber.SourceForm, "telepathy")
	}
	purpose := func(t *rapid.T) consent.Purpose {
		return of(t, "purpose", consent.Mailing, consent.Mailing, consent.OpenTracking, "fun")
	}
	onList := func(t *rapid.T) domain.ID { return of(t, "list", one, one, two, domain.ID{}) }
	by := func(t *rapid.T) consent.Method { return of(t, "by", append(consent.Methods, "telepathy")...) }
	return oneOf(
		func(t *rapid.T) subscriberCommand {
			return AddSubscriber{Person: ada, Email: email(t), Name: called(t), Attributes: facts(t), List: onList(t), Source: source(t)}
		},
		func(t *rapid.T) subscriberCommand {
			purposes := of(t, "purposes", both, both[:1], both[1:], nil)
			return ImportSubscriber{Person: ada, Email: email(t), Name: called(t), Attributes: facts(t), List: onList(t), Purposes: purposes, Import: three, Row: 1}
		},
		func(t *rapid.T) subscriberCommand {
			return RectifySubscriber{Person: ada, Email: email(t), Name: called(t), Attributes: facts(t), Source: source(t)}
		},
		func(t *rapid.T) subscriberCommand { return RequestConsent{ada, purpose(t), onList(t), by(t)} },
		func(t *rapid.T) subscriberCommand {
			return GiveConsent{Person: ada, Purpose: purpose(t), List: onList(t), Method: by(t), IP: ip}
		},
		func(t *rapid.T) subscriberCommand {
			return ConfirmConsent{Person: ada, Purpose: purpose(t), List: onList(t), Method: by(t)}
		},
		func(t *rapid.T) subscriberCommand {
			return RevokeConsent{Person: ada, Purpose: purpose(t), List: onList(t), Method: by(t), Client: client}
		},
		func(t *rapid.T) subscriberCommand {
			return EraseSubscriber{ada, of(t, "request", domain.ID{}, domain.ID{}, domain.ID{}, domain.ID{}, domain.ID{}, three)}
		},
	)
}

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
