package sqlite

import (
	"slices"

	"github.com/cleversender/cleversender/adapters/keyring"
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
	entries map[keyring.Hash]staged
	used    int // buckets of the staging book that hold something
}

type staged struct {
	person domain.ID
	bucket int64
}

// loadStaging reads the staged addresses, as last committed.
func (w *writer) loadStaging() error {
	w.staging = staging{entries: map[keyring.Hash]staged{}}
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
				w.staging.entries[keyring.Hash(in.entry(e)[:16])] = staged{domain.ID(in.entry(e)[16:]), id}
				w.staging.used = i + k + 1
			}
		}
	}
	w.staged.Store(len(w.staging.entries) > 0)
	return nil
}

// stage adds addresses that are new, and merges when there are many.
func (w *writer) stage(fresh []keyring.Hashed, person func(keyring.Hashed) domain.ID) error {
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
			if err := in.put(h.Hash, p); err != nil {
				return err
			}
			s.entries[h.Hash] = staged{p, in.id}
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
	all := make([]keyring.Hashed, 0, len(s.entries))
	for h := range s.entries {
		all = append(all, keyring.Hashed{Hash: h})
	}
	slices.SortFunc(all, func(a, b keyring.Hashed) int { return a.Hash.Compare(b.Hash) })
	err := w.books[directoryBook].visit(w, all, func(h keyring.Hashed, in *bucket) error {
		return in.put(h.Hash, s.entries[h.Hash].person)
	})
	if err != nil {
		return err
	}
	empty := map[int64]*bucket{}
	for _, b := range w.books[stagingBook].bounds[:s.used] {
		empty[b.bucket] = &bucket{id: b.bucket, raw: make([]byte, bucketSize), dirty: true}
	}
	w.staging = staging{entries: map[keyring.Hash]staged{}}
	return w.writeBuckets(empty)
}

// unstage removes one address, if it is staged.
func (w *writer) unstage(h keyring.Hash) (was bool, err error) {
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
