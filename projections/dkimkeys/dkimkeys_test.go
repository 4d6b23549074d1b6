package dkimkeys_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/cleversender/cleversender/domain"
	"github.com/cleversender/cleversender/domain/signing"
	"github.com/cleversender/cleversender/projections/dkimkeys"
	"github.com/cleversender/cleversender/projections/projectiontest"
)

// An account sees the keys of its own domains, and how far each has come.
func TestOf(t *testing.T) {
	acct, other := projectiontest.ID(projectiontest.Account, 0), projectiontest.ID(projectiontest.Account, 1)
	var h projectiontest.History
	add := func(of domain.ID, name string, data any) {
		h.Add(1, of, signing.Stream(signing.IDOf(of, name)), domain.ID{}, data)
	}
	created := func(name, selector string) signing.KeyCreated {
		return signing.KeyCreated{Domain: name, Selector: selector, Algorithm: signing.RSA, PublicKey: selector}
	}
	add(acct, "b.example", created("b.example", "s1"))
	add(acct, "b.example", signing.KeyActivated{Selector: "s1"})
	add(acct, "b.example", signing.KeyRetired{Selector: "s1"})
	add(acct, "b.example", created("b.example", "s2"))
	add(acct, "b.example", signing.KeyActivated{Selector: "s2"})
	add(acct, "a.example", created("a.example", "s1"))
	add(other, "c.example", created("c.example", "s1"))
	rows, err := projectiontest.Fold(dkimkeys.Projection, h.Events)
	if err != nil {
		t.Fatal(err)
	}
	got, err := dkimkeys.Of(t.Context(), rows, acct)
	if err != nil {
		t.Fatal(err)
	}
	at := func(i int) dkimkeys.Key {
		e := h.Events[i].Data.(signing.KeyCreated)
		return dkimkeys.Key{Domain: e.Domain, Selector: e.Selector, Algorithm: e.Algorithm, PublicKey: e.PublicKey, CreatedAt: h.Events[i].At}
	}
	want := []dkimkeys.Key{at(5), at(3), at(0)}
	want[1].ActivatedAt, want[2].ActivatedAt, want[2].RetiredAt = h.Events[4].At, h.Events[1].At, h.Events[2].At
	if diff := cmp.Diff(want, got); diff != "" {
		t.Fatal(diff)
	}
	found, ok, err := dkimkeys.Find(t.Context(), rows, acct, signing.IDOf(acct, "b.example"), "s2")
	if diff := cmp.Diff(want[1], found); !ok || err != nil || diff != "" {
		t.Error(ok, err, diff)
	}
	if _, ok, err := dkimkeys.Find(t.Context(), rows, other, signing.IDOf(acct, "b.example"), "s2"); ok || err != nil {
		t.Errorf("another account finds it: %v", err)
	}
	for i, state := range []signing.State{signing.Created, signing.Active, signing.Retired} {
		if got[i].State() != state {
			t.Errorf("key %d is %s", i, got[i].State())
		}
	}
}
