package sqlite

import (
	"cmp"
	"crypto/cipher"
	"math"
	"slices"
	"strings"

	"github.com/cleversender/cleversender/adapters/keyring"
	"github.com/cleversender/cleversender/domain"
	"github.com/cleversender/cleversender/domain/personal"
)

// mint makes the keys that are missing, unless somebody else just did or the
// person is erased.
//
// Who is new gets the key of what they will do together with that of who they
// are: side by side it costs a tenth of what it would later, far apart, with
// somebody waiting for a picture until it is on the disk.
func (s *Store) mint(refs []personal.KeyRef, out []cipher.AEAD, todo pending) error {
	fresh := make([]minted, 0, 2*len(todo.missing))
	for _, i := range todo.missing {
		fresh = append(fresh, minted{at: i, ref: refs[i]})
		if refs[i].Class == personal.Identity {
			fresh = append(fresh, minted{at: nobody, ref: personal.KeyRef{Subject: refs[i].Subject, Class: personal.Behaviour}})
		}
	}
	e := s.epochs.Load()
	keys := keyring.NewKeys(len(fresh))
	for k := range fresh {
		m := &fresh[k]
		m.key = keys[k]
		m.wrapped = e.Wrap(m.ref, m.key)
		if m.at == nobody {
			continue
		}
		var err error
		if m.aead, err = keyring.NewAEAD(m.key); err != nil {
			return err
		}
	}
	slices.SortFunc(fresh, func(a, b minted) int {
		return cmp.Or(compareIDs(a.ref.Subject, b.ref.Subject), cmp.Compare(a.ref.Class, b.ref.Class), cmp.Compare(a.at, b.at))
	})
	if err := s.writer.do(func(w *writer) error { return s.insert(w, refs, out, fresh) }); err != nil {
		return err
	}
	return nil
}

// minted is a key on its way into the database.
type minted struct {
	at      int // index of refs; nobody: it was not asked for
	ref     personal.KeyRef
	key     []byte
	wrapped []byte
	aead    cipher.AEAD
}

const nobody = math.MaxInt // after everybody who asked for the same

// insert writes keys of people who are not erased; where somebody else was
// quicker, theirs counts.
func (s *Store) insert(w *writer, refs []personal.KeyRef, out []cipher.AEAD, fresh []minted) error {
	// Subjects after the newest that the writer knows have no tombstone: the
	// usual case of an import, whose ids grow.
	first, _ := slices.BinarySearchFunc(fresh, w.newest, func(m minted, id domain.ID) int {
		if compareIDs(m.ref.Subject, id) <= 0 {
			return -1
		}
		return 1
	})
	subjects := make([]domain.ID, first)
	for k, m := range fresh[:first] {
		subjects[k] = m.ref.Subject
	}
	gone := map[domain.ID]bool{}
	if err := tombstones(w.query, subjects, func(id domain.ID) { gone[id] = true }); err != nil {
		return err
	}
	e := s.epochs.Load()
	add := make([]minted, 0, len(fresh))
	for k, m := range fresh {
		if k > 0 && fresh[k-1].ref == m.ref || gone[m.ref.Subject] {
			continue
		}
		if epoch, _ := keyring.EpochOf(m.wrapped); epoch != e.Current() { // a new epoch began meanwhile
			m.wrapped = e.Wrap(m.ref, m.key)
		}
		add = append(add, m)
	}
	inserted, err := w.insertKeys(add)
	if err != nil {
		return err
	}
	there := map[int]cipher.AEAD{}
	if inserted < len(add) {
		asked := slices.DeleteFunc(indexes(add), func(i int) bool { return i == nobody })
		if _, err := existing(w.query, refs, asked, func(i int, wrapped []byte) (err error) {
			there[i], err = e.Open(refs[i], wrapped)
			return err
		}, nil); err != nil {
			return err
		}
	}
	for k, m := range fresh {
		quicker, ok := there[m.at]
		switch {
		case m.at == nobody:
		case gone[m.ref.Subject]:
			out[m.at] = nil
		case k > 0 && fresh[k-1].ref == m.ref: // named twice
			out[m.at] = out[fresh[k-1].at]
		case ok:
			out[m.at] = quicker
		default:
			out[m.at] = m.aead
		}
	}
	return nil
}

func indexes(of []minted) []int {
	out := make([]int, len(of))
	for k, m := range of {
		out[k] = m.at
	}
	return out
}

// insertKeys returns how many there were not yet.
func (w *writer) insertKeys(add []minted) (inserted int, err error) {
	if len(add) > 0 {
		w.saw(add[len(add)-1].ref.Subject)
	}
	for len(add) > 0 {
		n := 1
		for _, size := range sizes {
			if size <= len(add) && size <= 64 {
				n = size
			}
		}
		args := make([]any, 0, 3*n)
		for _, m := range add[:n] {
			args = append(args, m.ref.Subject[:], int64(m.ref.Class), m.wrapped)
		}
		rows, err := w.change(insertKeys[n], args...)
		if err != nil {
			return 0, err
		}
		add, inserted = add[n:], inserted+int(rows)
	}
	return inserted, nil
}

// insertKeys by the number of rows.
var insertKeys = func() map[int]string {
	m := map[int]string{}
	for _, n := range sizes {
		m[n] = `INSERT INTO keys (subject, class, wrapped) VALUES ` + strings.Repeat(`(?, ?, ?), `, n-1) + `(?, ?, ?) ON CONFLICT DO NOTHING`
	}
	return m
}()
