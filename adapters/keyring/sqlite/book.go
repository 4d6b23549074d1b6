package sqlite

import (
	"encoding/binary"
	"errors"
	"slices"
	"sort"

	"github.com/cleversender/cleversender/adapters/keyring"
	"github.com/cleversender/cleversender/domain"
)

// The books, by the number they are stored with.
const (
	directoryBook   = 1
	suppressionBook = 2
	stagingBook     = 3 // its buckets are in order of use, not of hashes
	booksEnd        = 4
)

// bound says that a bucket holds the hashes from low up to the next bound.
type bound struct {
	low    uint64
	bucket int64
}

// book finds the bucket of a hash: a B-tree of two levels, whose inner level
// is in memory (16 bytes for some 90 addresses) and whose leaves are rows.
type book struct {
	number int
	bounds []bound
}

func prefix(h keyring.Hash) uint64 { return binary.BigEndian.Uint64(h[:]) }

// stored is low as SQLite orders it.
func stored(low uint64) int64 { return int64(low ^ 1<<63) }

// at is the index of the bound that the hash falls under.
func (b *book) at(h keyring.Hash) int {
	p := prefix(h)
	return sort.Search(len(b.bounds), func(i int) bool { return b.bounds[i].low > p }) - 1
}

func (w *writer) loadBooks() error {
	for n := directoryBook; n < booksEnd; n++ {
		w.books[n] = &book{number: n}
	}
	w.bucket = 0
	rows, err := w.query(`SELECT book, low, bucket FROM bounds ORDER BY book, low`)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var n, low, id int64
		if err := rows.Scan(&n, &low, &id); err != nil {
			return err
		}
		b := w.books[n]
		b.bounds = append(b.bounds, bound{uint64(low) ^ 1<<63, id})
		w.bucket = max(w.bucket, id)
	}
	return errors.Join(rows.Err(), rows.Close())
}

// look shows each hash, sorted, its bucket. Nothing is changed.
func (b *book) look(w *writer, hashes []keyring.Hashed, see func(keyring.Hashed, *bucket)) error {
	for len(hashes) > 0 && len(b.bounds) > 0 {
		n, ids := b.next(hashes)
		from := make(map[int64]int, len(ids)) // first of the hashes of each
		for i, h := range hashes[:n] {
			id := b.bounds[b.at(h.Hash)].bucket
			if _, seen := from[id]; !seen {
				from[id] = i
			}
		}
		err := w.eachBucket(ids, func(in *bucket) {
			for i := from[in.id]; i < n && b.bounds[b.at(hashes[i].Hash)].bucket == in.id; i++ {
				see(hashes[i], in)
			}
		})
		if err != nil {
			return err
		}
		hashes = hashes[n:]
	}
	return nil
}

// visitBatch is how many buckets are read at once, and written.
const visitBatch = 32

// visit takes each hash, sorted, to its bucket. When do finds it full, the
// bucket is split and do is called again.
func (b *book) visit(w *writer, hashes []keyring.Hashed, do func(keyring.Hashed, *bucket) error) error {
	if len(b.bounds) == 0 {
		if err := b.addBucket(w, 0, 0, w.newBucket()); err != nil {
			return err
		}
	}
	for len(hashes) > 0 {
		n, ids := b.next(hashes)
		buckets, err := w.readBuckets(ids)
		if err != nil {
			return err
		}
		for _, h := range hashes[:n] {
			if err := b.visitOne(w, buckets, h, do); err != nil {
				return err
			}
		}
		if err := w.writeBuckets(buckets); err != nil {
			return err
		}
		hashes = hashes[n:]
	}
	return nil
}

// next says how many of the hashes fall into the next visitBatch buckets.
func (b *book) next(hashes []keyring.Hashed) (n int, ids []int64) {
	at, high := 0, uint64(0)
	for n = range hashes {
		if h := hashes[n].Hash; n == 0 || (high != 0 && prefix(h) >= high) {
			if len(ids) == visitBatch {
				return n, ids
			}
			at = b.at(h)
			ids = append(ids, b.bounds[at].bucket)
			if high = 0; at+1 < len(b.bounds) {
				high = b.bounds[at+1].low
			}
		}
	}
	return len(hashes), ids
}

func (b *book) visitOne(w *writer, buckets map[int64]*bucket, h keyring.Hashed, do func(keyring.Hashed, *bucket) error) error {
	for {
		at := b.at(h.Hash)
		in := buckets[b.bounds[at].bucket]
		err := do(h, in)
		if !errors.Is(err, errFull) {
			return err
		}
		upper, err := b.split(w, at, in)
		if err != nil {
			return err
		}
		buckets[upper.id] = upper
	}
}

// split moves the upper half of a bucket's range into a new one.
func (b *book) split(w *writer, at int, in *bucket) (*bucket, error) {
	low, high := b.bounds[at].low, uint64(0) // high 0: 2^64
	if at+1 < len(b.bounds) {
		high = b.bounds[at+1].low
	}
	middle := low + (high-low)/2 // wraps as it should
	if high == 0 && low == 0 {
		middle = 1 << 63
	}
	if middle == low {
		return nil, errors.New("more hashes with one prefix than a bucket holds")
	}
	upper := w.newBucket()
	lower := &bucket{id: in.id, raw: make([]byte, bucketSize), dirty: true}
	for i := range in.n {
		to, e := lower, in.entry(i)
		if binary.BigEndian.Uint64(e) >= middle {
			to = upper
		}
		copy(to.entry(to.n), e)
		to.n++
	}
	*in = *lower
	return upper, b.addBucket(w, at+1, middle, upper)
}

func (w *writer) newBucket() *bucket {
	w.bucket++
	return &bucket{id: w.bucket, raw: make([]byte, bucketSize), dirty: true}
}

func (b *book) addBucket(w *writer, at int, low uint64, in *bucket) error {
	if err := w.exec(`INSERT INTO buckets (id, entries) VALUES (?, ?)`, in.id, in.raw); err != nil {
		return err
	}
	b.bounds = slices.Insert(b.bounds, at, bound{low, in.id})
	return w.exec(`INSERT INTO bounds (book, low, bucket) VALUES (?, ?, ?)`, b.number, stored(low), in.id)
}

// get, put and drop are about one hash, staged or not.
func (w *writer) get(book int, h keyring.Hash) (person domain.ID, found bool, err error) {
	if e, ok := w.staging.entries[h]; ok && book == directoryBook {
		return e.person, true, nil
	}
	err = w.books[book].look(w, []keyring.Hashed{{Hash: h}}, func(_ keyring.Hashed, in *bucket) { person, found = in.get(h) })
	return person, found, err
}

func (w *writer) put(book int, h keyring.Hash, person domain.ID) error {
	if book == directoryBook {
		if _, err := w.unstage(h); err != nil {
			return err
		}
	}
	return w.books[book].visit(w, []keyring.Hashed{{Hash: h}}, func(_ keyring.Hashed, in *bucket) error { return in.put(h, person) })
}

func (w *writer) drop(book int, h keyring.Hash) error {
	if book == directoryBook {
		if was, err := w.unstage(h); was || err != nil {
			return err
		}
	}
	return w.books[book].visit(w, []keyring.Hashed{{Hash: h}}, func(_ keyring.Hashed, in *bucket) error {
		in.drop(h)
		return nil
	})
}
