package postgres

import "hash/maphash"

// sieve tells most keys that are not in a set from those that may be: a Bloom
// filter (one in a hundred passes that is not in it) that grows by halves.
type sieve struct {
	layers []sieveLayer
	seed   maphash.Seed
}

type sieveLayer struct {
	bits []uint64
	room int // keys that it still takes
}

const (
	sieveFirst  = 1 << 14 // keys of the first layer; each next one takes twice as many
	sieveBits   = 10      // a key
	sieveProbes = 7
)

func newSieve() *sieve { return &sieve{seed: maphash.MakeSeed()} }

func (s *sieve) add(key string) {
	n := len(s.layers)
	if n == 0 || s.layers[n-1].room == 0 {
		room := sieveFirst << n
		s.layers = append(s.layers, sieveLayer{make([]uint64, room*sieveBits/64), room})
		n++
	}
	l := &s.layers[n-1]
	l.room--
	l.probe(maphash.String(s.seed, key), func(word *uint64, bit uint64) bool {
		*word |= bit
		return true
	})
}

// has is true of every key that was added.
func (s *sieve) has(key string) bool {
	if len(s.layers) == 0 {
		return false
	}
	h := maphash.String(s.seed, key)
	for i := range s.layers {
		if s.layers[i].probe(h, func(word *uint64, bit uint64) bool { return *word&bit != 0 }) {
			return true
		}
	}
	return false
}

// probe visits the bits of a hash until each says no.
func (l *sieveLayer) probe(h uint64, each func(word *uint64, bit uint64) bool) bool {
	step := h>>32 | 1
	for range sieveProbes {
		at := h % uint64(len(l.bits)*64)
		if !each(&l.bits[at/64], 1<<(at%64)) {
			return false
		}
		h += step
	}
	return true
}
