package keyring

import (
	"crypto/cipher"
	"maps"
	"slices"
	"sync"

	"github.com/cleversender/cleversender/domain"
	"github.com/cleversender/cleversender/domain/personal"
)

// generation is how many keys one generation of the cache holds; a key that is
// open takes about a kilobyte.
const generation = 4096

// bulk is how many keys asked for together are not kept: they are a campaign's
// or an import's, and each is needed once.
const bulk = 64

// classes lists every class that keys are kept for.
var classes = append(slices.Collect(maps.Values(personal.Classes)), secretClass)

// cache holds keys that were used lately, in two generations: when the young
// one is full it becomes the old one, and what was in the old one goes.
type cache struct {
	mu         sync.Mutex
	young, old map[personal.KeyRef]cipher.AEAD
	evictions  uint64
}

// get fills in the keys that it has, and returns the indexes of the others,
// and a moment: what was read from the database after it may be put.
func (c *cache) get(refs []personal.KeyRef, out []cipher.AEAD) (missing []int, at uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for i, ref := range refs {
		if aead, ok := c.young[ref]; ok {
			out[i] = aead
		} else if aead, ok := c.old[ref]; ok {
			out[i] = aead
			c.add(ref, aead)
		} else {
			missing = append(missing, i)
		}
	}
	return missing, c.evictions
}

// put keeps keys, unless somebody was evicted since the moment they were asked
// for: a key destroyed meanwhile must not come back.
func (c *cache) put(at uint64, refs []personal.KeyRef, keys []cipher.AEAD, which []int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.evictions != at {
		return
	}
	for _, i := range which {
		if keys[i] != nil {
			c.add(refs[i], keys[i])
		}
	}
}

func (c *cache) add(ref personal.KeyRef, aead cipher.AEAD) {
	if len(c.young) >= generation || c.young == nil {
		c.old, c.young = c.young, make(map[personal.KeyRef]cipher.AEAD, generation)
	}
	c.young[ref] = aead
}

func (c *cache) evict(subject domain.ID) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.evictions++
	for _, class := range classes {
		ref := personal.KeyRef{Subject: subject, Class: class}
		delete(c.young, ref)
		delete(c.old, ref)
	}
}
