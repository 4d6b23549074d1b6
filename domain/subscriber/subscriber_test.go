package subscriber_test

import (
	"reflect"
	"testing"

	"github.com/cleversender/cleversender/domain"
	"github.com/cleversender/cleversender/domain/consent"
	"github.com/cleversender/cleversender/domain/personal"
	. "github.com/cleversender/cleversender/domain/subscriber"
)

func fold(s Subscriber, events ...Event) Subscriber {
	for _, e := range events {
		s = s.Evolve(e)
	}
	return s
}

var (
	letter = domain.ID{1}
	added  = Added{Email: personal.Of("ada@example.org"), Name: personal.Of("Ada"), Source: SourceAPI}
)

// What is held is what was said last, and the first word is remembered.
func TestEvolve(t *testing.T) {
	s := fold(Subscriber{}, added, Joined{List: letter},
		consent.Given{Purpose: consent.Mailing, List: letter},
		Rectified{Email: personal.Of("ada@example.net")})
	if !s.Exists || !s.Email.Equal(personal.Of("ada@example.net")) || !s.Name.IsEmpty() || !s.First.Email.Equal(added.Email) {
		t.Errorf("%+v", s)
	}
	if !s.On(letter) || s.On(domain.ID{2}) {
		t.Errorf("lists %v", s.Lists)
	}
	if s.Consent(consent.Mailing, letter).Status != consent.StatusGiven || s.Consent(consent.OpenTracking, letter).Status != consent.StatusNone {
		t.Errorf("consents %+v", s.Consents)
	}
}

// Of the erased nothing is left but that they are.
func TestErased(t *testing.T) {
	s := fold(Subscriber{}, added, Joined{List: letter}, consent.Given{Purpose: consent.Mailing, List: letter}, Erased{})
	if !reflect.DeepEqual(s, Subscriber{Exists: true, Erased: true}) {
		t.Errorf("%+v", s)
	}
}

// One past may have many futures; none changes another.
func TestStatesAreValues(t *testing.T) {
	past := fold(Subscriber{}, added, Joined{List: domain.ID{1}}, Joined{List: domain.ID{2}}, Joined{List: domain.ID{3}})
	a, b := fold(past, Joined{List: domain.ID{4}}), fold(past, Joined{List: domain.ID{5}})
	if !a.On(domain.ID{4}) || a.On(domain.ID{5}) || b.On(domain.ID{4}) {
		t.Errorf("%v and %v", a.Lists, b.Lists)
	}
}
