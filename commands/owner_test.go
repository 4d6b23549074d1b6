package commands_test

import (
	"errors"
	"testing"

	. "github.com/cleversender/cleversender/commands"
	"github.com/cleversender/cleversender/domain"
	"github.com/cleversender/cleversender/domain/list"
)

func own(t *testing.T, log Log, account domain.ID) (*Owner[list.List, list.Event], error) {
	return Own[list.List, list.Event](t.Context(), log, account, list.Stream(three))
}

// An owner keeps the state: it appends without loading, and knows when there
// is nothing to do.
func TestOwner(t *testing.T) {
	log := newMemory()
	o, err := own(t, log, one)
	if err != nil {
		t.Fatal(err)
	}
	for i, cmd := range []Command[list.List, list.Event]{createList, createList, ArchiveList{three}, ArchiveList{three}} {
		if _, err := o.Do(t.Context(), acmeAsks, cmd); err != nil || int(o.Revision) != i/2+1 {
			t.Fatalf("step %d: revision %d, %v", i, o.Revision, err)
		}
	}
	again, err := own(t, log, one)
	if err != nil || again.State != o.State || again.Revision != o.Revision || !o.State.Archived {
		t.Errorf("%+v, loaded %+v, %v", o, again, err)
	}
}

// The state moves on only with what is durable.
func TestOwnerStaysAfterAnError(t *testing.T) {
	log := newMemory()
	o, err := own(t, log, one)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := o.Do(t.Context(), acmeAsks, ArchiveList{three}); !errors.Is(err, ErrNotFound) {
		t.Error(err)
	}
	log.broken = errors.New("disk is gone")
	if _, err := o.Do(t.Context(), acmeAsks, createList); !errors.Is(err, log.broken) || o.State.Exists || o.Revision != 0 {
		t.Errorf("%+v, %v", o, err)
	}
	log.broken = nil
	if _, err := o.Do(t.Context(), acmeAsks, createList); err != nil || !o.State.Exists {
		t.Errorf("%+v, %v", o, err)
	}
}

// Who is no longer the owner is told by a conflict, and writes nothing.
func TestOwnerLosesItsStream(t *testing.T) {
	log := newMemory()
	a, _ := own(t, log, one)
	b, _ := own(t, log, one)
	if _, err := a.Do(t.Context(), acmeAsks, createList); err != nil {
		t.Fatal(err)
	}
	late := acmeAsks
	late.ID = domain.ID{0xb}
	if _, err := b.Do(t.Context(), late, createList); !errors.Is(err, domain.ErrConflict) || len(log.streams[list.Stream(three)]) != 1 {
		t.Errorf("%v", err)
	}
}

// Nobody owns what is another account's.
func TestOwnerOfAnotherAccount(t *testing.T) {
	log := newMemory()
	if _, err := Handle(t.Context(), log, acmeAsks, createList); err != nil {
		t.Fatal(err)
	}
	if _, err := own(t, log, two); !errors.Is(err, ErrNotFound) {
		t.Error(err)
	}
	o, _ := own(t, log, one)
	if _, err := o.Do(t.Context(), Request{ID: domain.ID{0xb}, Account: two}, ArchiveList{three}); err == nil {
		t.Error("wrote for another account")
	}
}
