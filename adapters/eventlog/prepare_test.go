package eventlog_test

import (
	"crypto/cipher"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/cleversender/cleversender/adapters/eventlog"
	"github.com/cleversender/cleversender/domain/event"
	"github.com/cleversender/cleversender/domain/personal"
)

// ready is a keyring that has some keys at hand.
type ready struct {
	*keys
	held map[personal.KeyRef]bool
}

func (r ready) AtHand(refs []personal.KeyRef) ([]cipher.AEAD, bool) {
	out := make([]cipher.AEAD, len(refs))
	for i, ref := range refs {
		if !r.held[ref] {
			return nil, false
		}
		out[i] = r.byRef[ref]
	}
	return out, true
}

func newReady(t *testing.T, held ...personal.KeyRef) (journal, ready) {
	j := newJournal(t)
	r := ready{j.keys, map[personal.KeyRef]bool{}}
	for _, ref := range held {
		r.held[ref], r.byRef[ref] = true, newAEAD()
	}
	j.Journal = eventlog.NewJournal(j.log, types, r, now)
	return j, r
}

var adasKeys = []personal.KeyRef{{Subject: ada, Class: personal.Identity}, {Subject: ada, Class: personal.Behaviour}}

// What was prepared is appended without a key, and opens where it was prepared for.
func TestPreparedEventsNeedNoKey(t *testing.T) {
	j, r := newReady(t, adasKeys...)
	drafts := []event.Draft{about(ada, 1, adaMet()), about(ada, 2, left{"nothing personal"})}
	j.Prepare("a", drafts)
	r.failed = errors.New("no keys today")
	if _, err := j.Append(t.Context(), "a", 0, drafts...); err != nil {
		t.Fatal(err)
	}
	r.failed = nil
	events := j.load("a")
	if got, want := j.revealed(events[0].Data.(met)), []string{"Ada Lovelace", "London", "192.0.2.7"}; !cmp.Equal(got, want) {
		t.Errorf("%v", got)
	}
	if events[0].ID != drafts[0].ID || events[0].Meta != drafts[0].Meta || !events[0].At.Equal(now().Truncate(1000)) || events[1].Data != (left{"nothing personal"}) {
		t.Errorf("%+v", events)
	}
}

// In another stream than it was prepared for an event is sealed anew.
func TestPreparedForAnotherStream(t *testing.T) {
	j, _ := newReady(t, adasKeys...)
	drafts := []event.Draft{about(ada, 1, adaMet())}
	j.Prepare("a", drafts)
	j.append("b", 0, drafts...)
	if got := j.revealed(j.load("b")[0].Data.(met)); got[0] != "Ada Lovelace" {
		t.Errorf("%v", got)
	}
}

// What lacks a key, or would take a look-up, is left for the append, which says why.
func TestWhatCannotBePrepared(t *testing.T) {
	for name, c := range map[string]struct {
		draft event.Draft
		held  []personal.KeyRef
	}{
		"a key that is not at hand": {about(ada, 1, adaMet()), adasKeys[:1]},
		"nobody's":                  {about(personal.KeyRef{}.Subject, 1, adaMet()), nil},
		"no event":                  {about(ada, 1, 7), adasKeys},
	} {
		j, _ := newReady(t, c.held...)
		drafts := []event.Draft{c.draft}
		if j.Prepare("a", drafts); drafts[0].Sealed != nil {
			t.Errorf("%s: prepared", name)
		}
	}
	j, r := newReady(t, adasKeys...)
	for _, ref := range adasKeys {
		r.shred(ref)
	}
	drafts := []event.Draft{about(ada, 1, adaMet())}
	j.Prepare("a", drafts)
	if _, err := j.Append(t.Context(), "a", 0, drafts...); !errors.Is(err, eventlog.ErrErased) {
		t.Errorf("erased: %v", err)
	}
}
