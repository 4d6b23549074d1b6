package keyring

import (
	"bytes"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cleversender/cleversender/domain"
	"github.com/cleversender/cleversender/domain/personal"
)

func refsOf(n int) (refs []personal.KeyRef) {
	for i := range n {
		refs = append(refs, personal.KeyRef{Subject: domain.ID{byte(i), byte(i >> 8)}, Class: personal.Identity})
	}
	return refs
}

// wrappedFor is what a store would hold of a key, wrapped in an epoch.
func wrappedFor(ref personal.KeyRef, epoch byte) []byte {
	b := bytes.Repeat([]byte{ref.Subject[0]}, WrappedSize)
	copy(b, []byte{0, 0, 0, epoch})
	return b
}

// have is which of the keys come as they were put.
func have(c *Cache, refs []personal.KeyRef) (there int) {
	_, _ = c.Get(refs, func(i int, wrapped []byte) error {
		if bytes.Equal(wrapped, wrappedFor(refs[i], 1)) {
			there++
		}
		return nil
	})
	return there
}

func all(c *Cache, refs []personal.KeyRef) Moment {
	_, asked := c.Get(refs, func(int, []byte) error { return nil })
	return asked
}

func put(c *Cache, asked Moment, refs []personal.KeyRef) {
	for _, ref := range refs {
		c.Put(asked, ref, wrappedFor(ref, 1))
	}
}

// Few keys are kept for who asks again; those of an import or a campaign are not.
func TestKeysOfManyAreNotKept(t *testing.T) {
	refs := refsOf(bulk)
	var c Cache
	put(&c, all(&c, refs), refs)
	if n := have(&c, refs[1:]); n != 0 {
		t.Errorf("%d of many are kept", n)
	}
	put(&c, all(&c, refs[1:]), refs[1:])
	if n := have(&c, refs[1:]); n != bulk-1 {
		t.Errorf("%d of few are kept", n)
	}
	if missing, _ := c.Get(refs, func(int, []byte) error { return nil }); len(missing) != bulk {
		t.Errorf("many are looked for one by one: %d are to be read", len(missing))
	}
}

// What lies beside many that were read is kept for who asks for it next.
func TestKeysBesideManyAreKept(t *testing.T) {
	refs := refsOf(bulk)
	var c Cache
	asked := all(&c, refs)
	c.PutBeside(asked, refs[0], wrappedFor(refs[0], 1))
	if have(&c, refs[:1]) != 1 {
		t.Error("not kept")
	}
}

// The cache holds the last generation, whole, and no more than two.
func TestTheOldGenerationGoes(t *testing.T) {
	refs := refsOf(1 << 16)
	var c Cache
	asked := all(&c, nil)
	for class := range personal.Class(3) {
		for _, ref := range refs[:generation] {
			ref.Class = class
			c.PutBeside(asked, ref, wrappedFor(ref, 1))
		}
	}
	for class, want := range []int{0, 1, 1} {
		ref := refs[class*(generation-1)/2] // the first, one amid the others, the last
		ref.Class = personal.Class(class)
		if n := have(&c, []personal.KeyRef{ref}); n != want {
			t.Errorf("of generation %d there are %d, want %d", class, n, want)
		}
	}
}

// What was read before somebody was evicted may be theirs, and is not kept.
func TestTheEvictedDoNotComeBack(t *testing.T) {
	refs := refsOf(2)
	for name, forget := range map[string]func(*Cache){
		"evict": func(c *Cache) { c.Evict(refs[0].Subject) },
		"clear": (*Cache).Clear,
	} {
		var c Cache
		before := all(&c, refs)
		forget(&c)
		put(&c, before, refs)
		if n := have(&c, refs); n != 0 {
			t.Errorf("%s: %d came back", name, n)
		}
		put(&c, all(&c, nil), refs)
		forget(&c)
		if n := have(&c, refs[:1]); n != 0 {
			t.Errorf("%s: forgotten, and there", name)
		}
	}
}

// A key that was destroyed is never one that the cache has.
func TestDestroyedKeysAreNotKept(t *testing.T) {
	refs := refsOf(1)
	var c Cache
	c.Put(all(&c, refs), refs[0], make([]byte, WrappedSize))
	c.Put(all(&c, refs), refs[0], nil) // the person is erased, and there never was one
	if missing, _ := c.Get(refs, func(int, []byte) error { return nil }); len(missing) != 1 {
		t.Error("a destroyed key is given out")
	}
}

// What cannot be opened, since its epoch has ended, is asked for anew.
func TestWhatCannotBeOpenedIsMissing(t *testing.T) {
	refs := refsOf(2)
	var c Cache
	put(&c, all(&c, refs), refs)
	missing, _ := c.Get(refs, func(i int, _ []byte) error {
		if i == 1 {
			return ErrEpochGone
		}
		return nil
	})
	if len(missing) != 1 || missing[0] != 1 {
		t.Errorf("missing: %v", missing)
	}
	c.Put(all(&c, refs), refs[1], wrappedFor(refs[1], 2))
	if missing, _ = c.Get(refs[1:], func(_ int, wrapped []byte) error {
		if !bytes.Equal(wrapped, wrappedFor(refs[1], 2)) {
			return errors.New("the old one")
		}
		return nil
	}); len(missing) != 0 {
		t.Error("what was read anew is not kept")
	}
}

// A key that is used all the time is looked at again all the same.
func TestTrustEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		refs := refsOf(1)
		c := Cache{Trust: time.Second}
		asked := all(&c, refs)
		time.Sleep(time.Second / 2) // until the store has answered
		put(&c, asked, refs)
		for range 2 {
			if have(&c, refs) != 1 {
				t.Error("not trusted while fresh")
			}
			c.old, c.young = c.young, nil
			time.Sleep(time.Second / 4)
		}
		time.Sleep(time.Nanosecond)
		if have(&c, refs) != 0 {
			t.Error("trusted for too long")
		}
	})
}
