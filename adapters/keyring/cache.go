package keyring

import (
	"sync"
	"time"

	"github.com/cleversender/cleversender/domain"
	"github.com/cleversender/cleversender/domain/personal"
)

// generation is how many keys one generation of the cache holds; each takes some
// 130 bytes.
const generation = 1 << 16

// bulk is how many keys asked for together are not kept: they are a campaign's
// or an import's, and each is needed once.
const bulk = 64

// Cache holds keys that were used lately, or will be soon, as they are stored:
// wrapped. It has two generations: when the young one is full it becomes the old
// one, and what was in the old one goes.
type Cache struct {
	// Trust is how long after it was read a key is given out; 0: until it is evicted.
	Trust time.Duration

	mu         sync.Mutex
	young, old map[personal.KeyRef]cached
	evictions  uint64
}

// cached has no pointers, so that the collector passes by.
type cached struct {
	wrapped [WrappedSize]byte // all zeros: none
	read    time.Duration     // since began; 0 when keys are trusted until evicted
}

var began = time.Now()

// Moment is when the cache was asked: what was read from the store after it may be put.
type Moment struct {
	evictions uint64
	at        time.Duration
	many      bool
}

// Get gives open the keys that it has, of many none, and returns the indexes of
// the others, and of those that cannot be opened any more.
func (c *Cache) Get(refs []personal.KeyRef, open func(i int, wrapped []byte) error) (missing []int, now Moment) {
	if c.Trust > 0 {
		now.at = time.Since(began)
	}
	some := refs
	if now.many = len(refs) >= bulk; now.many {
		some = nil
	}
	found := make([]cached, len(some))
	c.mu.Lock()
	now.evictions = c.evictions
	for i, ref := range some {
		key, ok := c.young[ref]
		if !ok {
			key, ok = c.old[ref] // and stays there: a hit's key is used once
		}
		if ok && now.at-key.read <= c.Trust {
			found[i] = key
		}
	}
	c.mu.Unlock()
	for i := range refs {
		if now.many || found[i] == (cached{}) || open(i, found[i].wrapped[:]) != nil {
			missing = append(missing, i)
		}
	}
	return missing, now
}

// Put keeps a key that was read, unless it is one of so many that each is needed
// once, or it was destroyed.
func (c *Cache) Put(asked Moment, ref personal.KeyRef, wrapped []byte) {
	if !asked.many {
		c.PutBeside(asked, ref, wrapped)
	}
}

// PutBeside keeps a key that nobody has asked for yet. When somebody was evicted
// since the moment given nothing is kept: a key destroyed meanwhile must not come
// back.
func (c *Cache) PutBeside(asked Moment, ref personal.KeyRef, wrapped []byte) {
	if epoch, err := EpochOf(wrapped); err != nil || epoch == 0 {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.evictions == asked.evictions {
		c.add(ref, cached{[WrappedSize]byte(wrapped), asked.at})
	}
}

func (c *Cache) add(ref personal.KeyRef, key cached) {
	if len(c.young) >= generation || c.young == nil {
		c.old, c.young = c.young, map[personal.KeyRef]cached{}
	}
	c.young[ref] = key
}

// Evict forgets the keys of a person.
func (c *Cache) Evict(subject domain.ID) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.evictions++
	for _, class := range Classes {
		ref := personal.KeyRef{Subject: subject, Class: class}
		delete(c.young, ref)
		delete(c.old, ref)
	}
}

// Clear forgets everybody's.
func (c *Cache) Clear() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.evictions++
	c.young, c.old = nil, nil
}
