package sqlite

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"sync"

	"github.com/cleversender/cleversender/adapters/keyring"
	"github.com/cleversender/cleversender/domain"
	"github.com/cleversender/cleversender/domain/personal"
)

// reader reads beside the writer, as last committed.
type reader struct {
	db    *sql.DB
	mu    sync.Mutex
	stmts map[string]*sql.Stmt
}

func openReader(path string) (*reader, error) {
	db, err := openDB(path, "&_pragma=cache_size(-4096)&_pragma=query_only(1)", 2)
	return &reader{db: db, stmts: map[string]*sql.Stmt{}}, err
}

func (r *reader) close() error {
	if r == nil {
		return nil
	}
	return r.db.Close()
}

func (r *reader) stmt(query string) (*sql.Stmt, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if s, ok := r.stmts[query]; ok {
		return s, nil
	}
	s, err := r.db.Prepare(query)
	if err == nil {
		r.stmts[query] = s
	}
	return s, err
}

func (r *reader) query(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	s, err := r.stmt(query)
	if err != nil {
		return nil, err
	}
	return s.QueryContext(ctx, args...)
}

// any reports whether the query has a row.
func (r *reader) any(ctx context.Context, query string, args ...any) (bool, error) {
	rows, err := r.query(ctx, query, args...)
	if err != nil {
		return false, err
	}
	defer rows.Close()
	found := rows.Next()
	return found, rows.Err()
}

// inEpoch reports whether any key is wrapped in the epoch. It reads them all.
func (r *reader) inEpoch(ctx context.Context, epoch uint32) (bool, error) {
	return r.any(ctx, `SELECT 1 FROM keys WHERE substr(wrapped, 1, 4) = ? LIMIT 1`, binary.BigEndian.AppendUint32(nil, epoch))
}

// queryer is a reader, or a writer inside its transaction.
type queryer func(query string, args ...any) (*sql.Rows, error)

// The number of subjects asked for at once is one of these, so that few
// statements are prepared; a short list is filled up by repeating its last.
var sizes = []int{1, 8, 16, 32, 64, 512}

func sizeFor(n int) int {
	for _, s := range sizes {
		if n <= s {
			return s
		}
	}
	return sizes[len(sizes)-1]
}

func marks(n int) string { return strings.Repeat("?, ", n-1) + "?" }

// eachOf asks for subjects, sorted, in chunks: query has %s where the
// placeholders go. The first argument can be another.
func eachOf(q queryer, query string, first []any, subjects []domain.ID, each func(*sql.Rows) error) error {
	for len(subjects) > 0 {
		size := sizeFor(len(subjects))
		n := min(size, len(subjects))
		args := append(make([]any, 0, len(first)+size), first...)
		for i := range size {
			args = append(args, subjects[min(i, n-1)][:])
		}
		rows, err := q(fmt.Sprintf(query, marks(size)), args...)
		if err != nil {
			return err
		}
		if err := drain(rows, each); err != nil {
			return err
		}
		subjects = subjects[n:]
	}
	return nil
}

func drain(rows *sql.Rows, each func(*sql.Rows) error) error {
	defer rows.Close()
	for rows.Next() {
		if err := each(rows); err != nil {
			return err
		}
	}
	return errors.Join(rows.Close(), rows.Err())
}

// wrappedKeys gives the stored form of each key that exists, destroyed ones
// too. subjects are sorted.
func wrappedKeys(q queryer, class personal.Class, subjects []domain.ID, each func(domain.ID, []byte) error) error {
	return eachOf(q, `SELECT subject, wrapped FROM keys WHERE class = ? AND subject IN (%s)`, []any{int64(class)}, subjects, keyRow(each))
}

// nearby gives what wrappedKeys would, but for those that lie elsewhere, and
// perhaps others' keys: everything between the keys of the first subject and
// the last, when that is not much more than what is asked for. Who came one
// after the other lies side by side, and is read without looking each up.
// Whoever was sent a message may soon do something with it, so their keys of
// behaviour, which lie there as well, go to beside.
func nearby(q queryer, class personal.Class, subjects []domain.ID, each func(domain.ID, []byte) error,
	beside func(personal.KeyRef, []byte),
) error {
	n := len(subjects)
	if n <= 32 { // its ends alone would cost a tenth of what it may save
		return nil
	}
	first, last, kind := subjects[0], subjects[n-1], int64(class)
	rows, err := q(between, first[:], kind, last[:], kind, len(keyring.Classes)*n, kind, int64(personal.Behaviour))
	if err != nil {
		return err
	}
	var subject, wrapped sql.RawBytes
	var of int64
	return drain(rows, func(rows *sql.Rows) error {
		if err := rows.Scan(&subject, &of, &wrapped); err != nil {
			return err
		}
		id, err := idOf(subject)
		switch {
		case err != nil:
			return err
		case of == kind:
			return each(id, wrapped)
		case beside != nil:
			beside(personal.KeyRef{Subject: id, Class: personal.Class(of)}, wrapped)
		}
		return nil
	})
}

// The keys of a person are made together, so that of the last there may be one more.
const between = `WITH ends AS (
	SELECT (SELECT slot FROM keys WHERE subject = ? AND class = ?) AS first, (SELECT slot FROM keys WHERE subject = ? AND class = ?) AS last)
SELECT subject, class, wrapped FROM ends CROSS JOIN keys ON slot BETWEEN first AND last + 1 WHERE last - first < ? AND class IN (?, ?)`

func keyRow(each func(domain.ID, []byte) error) func(*sql.Rows) error {
	var subject, wrapped sql.RawBytes
	return func(rows *sql.Rows) error {
		if err := rows.Scan(&subject, &wrapped); err != nil {
			return err
		}
		id, err := idOf(subject)
		if err != nil {
			return err
		}
		return each(id, wrapped)
	}
}

// tombstones gives those of the subjects that were erased.
func tombstones(q queryer, subjects []domain.ID, each func(domain.ID)) error {
	return eachOf(q, `SELECT subject FROM erased WHERE subject IN (%s)`, nil, subjects, func(rows *sql.Rows) error {
		var subject sql.RawBytes
		if err := rows.Scan(&subject); err != nil {
			return err
		}
		id, err := idOf(subject)
		if err == nil {
			each(id)
		}
		return err
	})
}

func compareIDs(a, b domain.ID) int { return bytes.Compare(a[:], b[:]) }
