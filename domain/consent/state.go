package consent

import (
	"iter"
	"slices"

	"github.com/cleversender/cleversender/domain"
)

// A Status says which kind of event an answer rests on. Names are stored in
// read models and are API.
type Status string

const (
	StatusNone      Status = ""          // nobody ever asked, and nobody said
	StatusRequested Status = "requested" // asked, no answer yet
	StatusAsserted  Status = "asserted"  // the account's word for it
	StatusGiven     Status = "given"     // the person's word
	StatusConfirmed Status = "confirmed" // the person's word, and proof that the address is theirs
	StatusRevoked   Status = "revoked"   // the person's no
)

// State is one person's answer to one question (a Key). Apply is the law; both
// the commands and the read models fold by it.
//
//   - Requested asks. It is no answer: it lowers nothing and raises nothing.
//   - Asserted raises only where there is no answer yet. The account's word
//     never replaces the person's, neither their yes nor their no.
//   - Given is the person's yes, also after a no. It never lowers Confirmed:
//     whoever types somebody's address into a form cannot undo a proof.
//   - Confirmed counts when there is something to confirm: a request since the
//     last no, or a yes. An old link does not bring back who left.
//   - Revoked ends all of it at once, and whatever was asked before it.
type State struct {
	Status Status
	Asked  bool // a request waits for its answer
}

// Apply follows one consent event about the key; any other event changes
// nothing. decided reports that the status rests on this event from now on:
// what a send names as the consent that allows it. Asked may change without.
func (s State) Apply(e any) (next State, decided bool) {
	was := s.Status
	switch e.(type) {
	case Requested:
		s.Asked = s.Status != StatusConfirmed
		if s.Status == StatusNone {
			s.Status = StatusRequested
		}
	case Asserted:
		if s.Unanswered() {
			s.Status = StatusAsserted
		}
	case Given:
		if s.Status != StatusConfirmed {
			s.Status = StatusGiven
		}
	case Confirmed:
		if s.Confirmable() {
			s = State{Status: StatusConfirmed}
		}
	case Revoked:
		s = State{Status: StatusRevoked}
	}
	return s, s.Status != was
}

// Unanswered reports that neither the person nor the account has said anything:
// the only state that an assertion raises.
func (s State) Unanswered() bool { return s.Status == StatusNone || s.Status == StatusRequested }

// Confirmable reports that a confirmation would say something new.
func (s State) Confirmable() bool {
	return s.Status != StatusConfirmed && (s.Asked || s.Status == StatusGiven)
}

// InForce reports whether the purpose may be pursued now. It is a pure
// function of the events so far, so that the controller can demonstrate it for
// any moment (GDPR Art. 7(1)); a withdrawal is as easy as a yes, takes effect
// with its event, and leaves lawful what came before (Art. 7(3)).
//
// With double opt-in the person's yes counts once the address is proven theirs.
// An assertion counts there too: the account claims that it was proven
// elsewhere, and stays marked as the account's claim. It does not stand in for
// the proof that a yes given here still waits for. Pass false for purposes that
// are not per list.
func (s State) InForce(doubleOptIn bool) bool {
	switch s.Status {
	case StatusConfirmed, StatusAsserted:
		return true
	case StatusGiven:
		return !doubleOptIn
	default:
		return false
	}
}

// Key is what an answer is about. List is zero unless the purpose is per list.
type Key struct {
	Purpose Purpose
	List    domain.ID
}

// KeyOf names the answer about a purpose on a list; purposes that are not per
// list leave the list out.
func KeyOf(p Purpose, list domain.ID) Key {
	if !p.PerList() {
		list = domain.ID{}
	}
	return Key{p, list}
}

// Keys are the answers that an event is about: none when it is no consent event.
func Keys(e any) iter.Seq[Key] {
	return func(yield func(Key) bool) {
		switch e := e.(type) {
		case Requested:
			yield(KeyOf(e.Purpose, e.List))
		case Given:
			yield(KeyOf(e.Purpose, e.List))
		case Confirmed:
			yield(KeyOf(e.Purpose, e.List))
		case Revoked:
			yield(KeyOf(e.Purpose, e.List))
		case Asserted:
			for _, p := range e.Purposes {
				if !yield(KeyOf(p, e.List)) {
					return
				}
			}
		}
	}
}

// Ledger is every answer of one person. It is never changed in place.
type Ledger []Answer

// Answer is where one key stands.
type Answer struct {
	Key
	State
}

// Of is the person's answer about a key.
func (l Ledger) Of(k Key) State {
	for i := range l {
		if l[i].Key == k {
			return l[i].State
		}
	}
	return State{}
}

// Apply follows one event.
func (l Ledger) Apply(e any) Ledger {
	own := false
	for k := range Keys(e) {
		is := l.Of(k)
		next, _ := is.Apply(e)
		if next == is {
			continue
		}
		if !own {
			l, own = slices.Clone(l), true
		}
		if i := slices.IndexFunc(l, func(a Answer) bool { return a.Key == k }); i >= 0 {
			l[i].State = next
		} else {
			l = append(l, Answer{k, next})
		}
	}
	return l
}
