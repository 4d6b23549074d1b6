package keyring

import (
	"slices"

	"github.com/cleversender/cleversender/domain"
)

// Addresses that come by the thousand would touch nearly every bucket of the
// directory, batch by batch. They are staged first: written side by side into
// buckets of their own and found by a map in memory, until there are enough of
// them that each bucket of the directory takes several at once.
const (
	stageAtLeast = 512     // new addresses of a batch; fewer go to their buckets at once
	stageAtMost  = 1 << 16 // addresses in the map; some 5 MB
)

// staging is what has been staged and not merged. An address is in here or in
// its bucket, never in both.
type staging struct {
	entries map[hash]staged
	used    int // buckets of the staging book that hold something
}

type staged struct {
	person domain.ID
	bucket int64
}

// loadStaging reads the staged addresses, as last committed.
func (w *writer) loadStaging() error {
	w.staging = staging{entries: map[hash]staged{}}
	all := w.books[stagingBook].bounds
	for i := 0; i < len(all); i += visitBatch {
		var ids []int64
		for _, b := range all[i:min(i+visitBatch, len(all))] {
			ids = append(ids, b.bucket)
		}
		buckets, err := w.readBuckets(ids)
		if err != nil {
			return err
		}
		for k, id := range ids {
			in := buckets[id]
			for e := range in.n {
				w.staging.entries[hash(in.entry(e)[:16])] = staged{domain.ID(in.entry(e)[16:]), id}
				w.staging.used = i + k + 1
			}
		}
	}
	w.staged.Store(len(w.staging.entries) > 0)
	return nil
}

// stage adds addresses that are new, and merges when there are many.
func (w *writer) stage(fresh []hashed, person func(hashed) domain.ID) error {
	w.staged.Store(true)
	s, book := &w.staging, w.books[stagingBook]
	for len(fresh) > 0 {
		if s.used == len(book.bounds) {
			if err := book.addBucket(w, s.used, uint64(s.used), w.newBucket()); err != nil {
				return err
			}
		}
		in := &bucket{id: book.bounds[s.used].bucket, raw: make([]byte, bucketSize)}
		n := min(len(fresh), perBucket)
		for _, h := range fresh[:n] {
			p := person(h)
			if err := in.put(h.hash, p); err != nil {
				return err
			}
			s.entries[h.hash] = staged{p, in.id}
		}
		if err := w.writeBuckets(map[int64]*bucket{in.id: in}); err != nil {
			return err
		}
		fresh = fresh[n:]
		s.used++
	}
	if len(s.entries) < stageAtMost {
		return nil
	}
	return w.merge()
}

// merge takes what is staged to its buckets, and leaves zeros behind.
func (w *writer) merge() error {
	s := &w.staging
	all := make([]hashed, 0, len(s.entries))
	for h := range s.entries {
		all = append(all, hashed{hash: h})
	}
	slices.SortFunc(all, func(a, b hashed) int { return a.hash.compare(b.hash) })
	err := w.books[directoryBook].visit(w, all, func(h hashed, in *bucket) error {
		return in.put(h.hash, s.entries[h.hash].person)
	})
	if err != nil {
		return err
	}
	empty := map[int64]*bucket{}
	for _, b := range w.books[stagingBook].bounds[:s.used] {
		empty[b.bucket] = &bucket{id: b.bucket, raw: make([]byte, bucketSize), dirty: true}
	}
	w.staging = staging{entries: map[hash]staged{}}
	return w.writeBuckets(empty)
}

// unstage removes one address, if it is staged.
func (w *writer) unstage(h hash) (was bool, err error) {
	e, ok := w.staging.entries[h]
	if !ok {
		return false, nil
	}
	buckets, err := w.readBuckets([]int64{e.bucket})
	if err != nil {
		return false, err
	}
	buckets[e.bucket].drop(h)
	delete(w.staging.entries, h)
	return true, w.writeBuckets(buckets)
}
