package keyring

import (
	"crypto/cipher"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cleversender/cleversender/domain"
	"github.com/cleversender/cleversender/domain/personal"
)

func cachedKeys(t *testing.T, n int) (refs []personal.KeyRef, keys []cipher.AEAD, all []int) {
	t.Helper()
	for i, key := range NewKeys(n) {
		aead, err := NewAEAD(key)
		if err != nil {
			t.Fatal(err)
		}
		refs = append(refs, personal.KeyRef{Subject: domain.ID{byte(i), byte(i >> 8)}, Class: personal.Identity})
		keys, all = append(keys, aead), append(all, i)
	}
	return refs, keys, all
}

func missing(c *Cache, refs []personal.KeyRef) int {
	none, _ := c.Get(refs, make([]cipher.AEAD, len(refs)))
	return len(none)
}

func put(c *Cache, refs []personal.KeyRef, keys []cipher.AEAD, all []int) {
	_, now := c.Get(nil, nil)
	c.Put(now, refs, keys, all)
}

// Few keys are kept for who asks again; those of an import or a campaign are not.
func TestKeysOfManyAreNotKept(t *testing.T) {
	refs, keys, all := cachedKeys(t, bulk)
	var c Cache
	put(&c, refs, keys, all)
	if n := missing(&c, refs); n != len(refs) {
		t.Errorf("%d of many are kept", len(refs)-n)
	}
	put(&c, refs[1:], keys[1:], all[:bulk-1])
	if n := missing(&c, refs); n != 1 {
		t.Errorf("%d of few are not kept", n-1)
	}
}

// What was read before somebody was evicted may be theirs, and is not kept.
func TestTheEvictedDoNotComeBack(t *testing.T) {
	refs, keys, all := cachedKeys(t, 2)
	for name, forget := range map[string]func(*Cache){
		"evict": func(c *Cache) { c.Evict(refs[0].Subject) },
		"clear": (*Cache).Clear,
	} {
		var c Cache
		_, before := c.Get(refs, make([]cipher.AEAD, 2))
		forget(&c)
		c.Put(before, refs, keys, all)
		if n := missing(&c, refs); n != 2 {
			t.Errorf("%s: %d came back", name, 2-n)
		}
		put(&c, refs, keys, all)
		forget(&c)
		if n := missing(&c, refs[:1]); n != 1 {
			t.Errorf("%s: forgotten, and there", name)
		}
	}
}

// A key that is used all the time is looked at again all the same.
func TestTrustEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		refs, keys, all := cachedKeys(t, 1)
		c := Cache{Trust: time.Second}
		_, asked := c.Get(refs, make([]cipher.AEAD, 1))
		time.Sleep(time.Second / 2) // until the store has answered
		c.Put(asked, refs, keys, all)
		for range 2 {
			if missing(&c, refs) != 0 {
				t.Error("not trusted while fresh")
			}
			c.old, c.young = c.young, nil
			time.Sleep(time.Second / 4)
		}
		time.Sleep(time.Nanosecond)
		if missing(&c, refs) != 1 {
			t.Error("trusted for too long")
		}
	})
}
