package sqlite

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"sort"
	"strings"

	"github.com/cleversender/cleversender/adapters/keyring"
	"github.com/cleversender/cleversender/domain"
)

const (
	entrySize  = 32  // a hash and a person
	perBucket  = 126 // so that one bucket fills one page
	bucketSize = entrySize * perBucket
)

// bucket is entries without order, the free ones at the end, all zeros. It is
// overwritten where it stands: no copy of an entry stays anywhere else.
type bucket struct {
	id    int64
	raw   []byte
	n     int
	dirty bool
}

var errFull = errors.New("the bucket is full")

func openBucket(id int64, raw []byte) (*bucket, error) {
	if len(raw) != bucketSize {
		return nil, fmt.Errorf("bucket %d has %d bytes", id, len(raw))
	}
	n := sort.Search(perBucket, func(i int) bool { return keyring.Hash(raw[i*entrySize:][:16]) == keyring.Hash{} })
	return &bucket{id: id, raw: raw, n: n}, nil
}

func (b *bucket) entry(i int) []byte { return b.raw[i*entrySize : (i+1)*entrySize] }

func (b *bucket) find(h keyring.Hash) int {
	for i := range b.n {
		if keyring.Hash(b.entry(i)[:16]) == h {
			return i
		}
	}
	return -1
}

func (b *bucket) get(h keyring.Hash) (domain.ID, bool) {
	if i := b.find(h); i >= 0 {
		return domain.ID(b.entry(i)[16:]), true
	}
	return domain.ID{}, false
}

func (b *bucket) put(h keyring.Hash, person domain.ID) error {
	i := b.find(h)
	if i < 0 {
		if b.n == perBucket {
			return errFull
		}
		i = b.n
		b.n++
	}
	copy(b.entry(i), h[:])
	copy(b.entry(i)[16:], person[:])
	b.dirty = true
	return nil
}

func (b *bucket) drop(h keyring.Hash) {
	if i := b.find(h); i >= 0 {
		b.n--
		copy(b.entry(i), b.entry(b.n))
		clear(b.entry(b.n))
		b.dirty = true
	}
}

// eachBucket shows the buckets named; what it shows is good until see returns.
func (w *writer) eachBucket(ids []int64, see func(*bucket)) error {
	size := 1
	if len(ids) > 1 {
		size = visitBatch
	}
	args := make([]any, size)
	for i := range args {
		args[i] = ids[min(i, len(ids)-1)]
	}
	rows, err := w.query(readBuckets[size], args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	n := 0
	for ; rows.Next(); n++ {
		var id int64
		var raw sql.RawBytes
		if err := rows.Scan(&id, &raw); err != nil {
			return err
		}
		in, err := openBucket(id, raw)
		if err != nil {
			return err
		}
		see(in)
	}
	if err := rows.Err(); err != nil {
		return err
	}
	if n != len(ids) {
		return fmt.Errorf("%d of %d buckets are not there", len(ids)-n, len(ids))
	}
	return nil
}

func (w *writer) readBuckets(ids []int64) (map[int64]*bucket, error) {
	out := make(map[int64]*bucket, len(ids))
	return out, w.eachBucket(ids, func(in *bucket) {
		in.raw = bytes.Clone(in.raw)
		out[in.id] = in
	})
}

// readBuckets by the number asked for.
var readBuckets = map[int]string{
	1:          `SELECT id, entries FROM buckets WHERE id = ?`,
	visitBatch: `SELECT id, entries FROM buckets WHERE id IN (` + marks(visitBatch) + `)`,
}

const (
	writeBucket  = `INSERT INTO buckets (id, entries) VALUES (?, ?)`
	orOverwrite  = ` ON CONFLICT (id) DO UPDATE SET entries = excluded.entries`
	anotherEntry = `, (?, ?)`
)

var (
	writeOne  = writeBucket + orOverwrite
	writeMany = writeBucket + strings.Repeat(anotherEntry, visitBatch/2-1) + orOverwrite
)

func (w *writer) writeBuckets(buckets map[int64]*bucket) error {
	var dirty []*bucket
	for _, b := range buckets {
		if b.dirty {
			dirty = append(dirty, b)
		}
	}
	slices.SortFunc(dirty, func(a, b *bucket) int { return int(a.id - b.id) })
	for len(dirty) > 0 {
		query, n := writeOne, 1
		if len(dirty) >= visitBatch/2 {
			query, n = writeMany, visitBatch/2
		}
		args := make([]any, 0, 2*n)
		for _, b := range dirty[:n] {
			args = append(args, b.id, b.raw)
		}
		if err := w.exec(query, args...); err != nil {
			return err
		}
		dirty = dirty[n:]
	}
	return nil
}

// lookIn is get, beside the writer.
func (r *reader) lookIn(ctx context.Context, book int, h keyring.Hash) (person domain.ID, found bool, err error) {
	rows, err := r.query(ctx, `SELECT id, entries FROM buckets WHERE id =
		(SELECT bucket FROM bounds WHERE book = ? AND low <= ? ORDER BY low DESC LIMIT 1)`, book, stored(prefix(h)))
	if err != nil {
		return person, false, err
	}
	defer rows.Close()
	for rows.Next() {
		var id int64
		var raw []byte
		if err := rows.Scan(&id, &raw); err != nil {
			return person, false, err
		}
		in, err := openBucket(id, raw)
		if err != nil {
			return person, false, err
		}
		person, found = in.get(h)
	}
	return person, found, rows.Err()
}
