package keyring

import (
	"crypto/cipher"
	"sync"
	"time"

	"github.com/cleversender/cleversender/domain"
	"github.com/cleversender/cleversender/domain/personal"
)

// generation is how many keys one generation of the cache holds; a key that is
// open takes about a kilobyte.
const generation = 4096

// bulk is how many keys asked for together are not kept: they are a campaign's
// or an import's, and each is needed once.
const bulk = 64

// Cache holds keys that were used lately, in two generations: when the young
// one is full it becomes the old one, and what was in the old one goes.
type Cache struct {
	// Trust is how long after it was read a key is given out; 0: until it is evicted.
	Trust time.Duration

	mu         sync.Mutex
	young, old map[personal.KeyRef]cached
	evictions  uint64
}

type cached struct {
	aead cipher.AEAD
	read time.Time
}

// Moment is when the cache was asked: what was read from the store after it may be put.
type Moment struct {
	evictions uint64
	at        time.Time
}

// Get fills in the keys that it has, and returns the indexes of the others.
func (c *Cache) Get(refs []personal.KeyRef, out []cipher.AEAD) (missing []int, now Moment) {
	if c.Trust > 0 {
		now.at = time.Now()
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for i, ref := range refs {
		key, ok := c.young[ref]
		if !ok {
			if key, ok = c.old[ref]; ok {
				c.add(ref, key)
			}
		}
		if ok && now.at.Sub(key.read) <= c.Trust {
			out[i] = key.aead
		} else {
			missing = append(missing, i)
		}
	}
	now.evictions = c.evictions
	return missing, now
}

// Put keeps keys, unless they are so many that each is needed once, or somebody
// was evicted since the moment they were asked for: a key destroyed meanwhile
// must not come back.
func (c *Cache) Put(asked Moment, refs []personal.KeyRef, keys []cipher.AEAD, which []int) {
	if len(which) >= bulk {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.evictions != asked.evictions {
		return
	}
	for _, i := range which {
		if keys[i] != nil {
			c.add(refs[i], cached{keys[i], asked.at})
		}
	}
}

func (c *Cache) add(ref personal.KeyRef, key cached) {
	if len(c.young) >= generation || c.young == nil {
		c.old, c.young = c.young, make(map[personal.KeyRef]cached, generation)
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
