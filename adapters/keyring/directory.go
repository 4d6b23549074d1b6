package keyring

import (
	"bufio"
	"cmp"
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"

	"github.com/google/uuid"

	"github.com/cleversender/cleversender/domain"
)

// Refusals of the directory.
var (
	ErrAddressTaken      = domain.Refuse("address_taken", "another subscriber has this address")
	ErrAddressSuppressed = domain.Refuse("address_suppressed", "the person behind this address was erased and has not come back")
)

// A hash stands for an address in an account: HMAC-SHA-256 under a key of the
// book, first 16 bytes. The directory and the suppression list have different
// keys, so that one does not tell what is in the other.
type hash [16]byte

type hasher []byte

// all hashes addresses, in the order of the hashes: the order of the buckets.
func (key hasher) all(account domain.ID, addresses []string) []hashed {
	mac := hmac.New(sha256.New, key)
	out := make([]hashed, len(addresses))
	var buf, sum []byte
	for i, a := range addresses {
		mac.Reset()
		buf = append(append(buf[:0], account[:]...), a...)
		mac.Write(buf)
		sum = mac.Sum(sum[:0])
		out[i] = hashed{hash(sum[:16]), i}
	}
	slices.SortFunc(out, func(a, b hashed) int {
		if c := a.hash.compare(b.hash); c != 0 {
			return c
		}
		return cmp.Compare(a.at, b.at)
	})
	return out
}

func (key hasher) one(account domain.ID, address string) hash {
	return key.all(account, []string{address})[0].hash
}

// hashed is an address of a batch: its hash, and its place in the batch.
type hashed struct {
	hash hash
	at   int
}

func (s *Store) openDirectory(ctx context.Context) (err error) {
	if s.directory, err = s.secret(ctx, "index/directory"); err != nil {
		return err
	}
	s.suppressed, err = s.secret(ctx, "index/suppression")
	return err
}

// Reservation is what the directory says of an address.
type Reservation struct {
	Person     domain.ID // zero when suppressed
	Known      bool      // the address was there before, maybe from earlier in the same call
	Suppressed bool      // the person behind it was erased: they have to come back by themself
}

// Reserve finds the person of each address of an account, or mints one, with
// ids that grow in the order of the addresses. Addresses are normalised. What
// it returns is durable. Thousands at a time cost the least.
func (s *Store) Reserve(ctx context.Context, account domain.ID, addresses []string) ([]Reservation, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if len(addresses) == 0 {
		return nil, nil
	}
	held, gone := s.directory.all(account, addresses), s.suppressed.all(account, addresses)
	people, err := newPeople(len(addresses))
	if err != nil {
		return nil, err
	}
	out := make([]Reservation, len(addresses))
	err = s.writer.do(func(w *writer) error {
		clear(out)
		err := w.books[suppressionBook].look(w, gone, func(h hashed, in *bucket) {
			_, out[h.at].Suppressed = in.get(h.hash)
		})
		if err != nil {
			return err
		}
		fresh, err := w.known(held, out)
		if err != nil || len(fresh) == 0 {
			return err
		}
		return w.reserve(fresh, people, out)
	})
	if err != nil {
		return nil, fmt.Errorf("reserve %d addresses: %w", len(addresses), err)
	}
	return out, nil
}

// known fills in who has an address, and returns the addresses that nobody has
// and nobody had: each once.
func (w *writer) known(held []hashed, out []Reservation) (fresh []hashed, err error) {
	unstaged := make([]hashed, 0, len(held))
	for _, h := range held {
		if e, ok := w.staging.entries[h.hash]; ok {
			out[h.at] = Reservation{Person: e.person, Known: true}
		} else {
			unstaged = append(unstaged, h)
		}
	}
	there := make(map[int]bool)
	err = w.books[directoryBook].look(w, unstaged, func(h hashed, in *bucket) {
		if person, ok := in.get(h.hash); ok {
			out[h.at] = Reservation{Person: person, Known: true}
			there[h.at] = true
		}
	})
	for _, h := range unstaged {
		if !there[h.at] && !out[h.at].Suppressed {
			fresh = append(fresh, h)
		}
	}
	return fresh, err
}

// reserve gives each of the addresses, sorted, to a person; one that comes
// again in the batch is known by then.
func (w *writer) reserve(fresh []hashed, people []domain.ID, out []Reservation) error {
	first := fresh[:0]
	for _, h := range fresh {
		if n := len(first); n > 0 && first[n-1].hash == h.hash {
			out[h.at] = Reservation{Person: out[first[n-1].at].Person, Known: true}
			continue
		}
		out[h.at].Person = people[h.at]
		first = append(first, h)
	}
	if len(first) >= stageAtLeast {
		return w.stage(first, func(h hashed) domain.ID { return people[h.at] })
	}
	return w.books[directoryBook].visit(w, first, func(h hashed, in *bucket) error {
		return in.put(h.hash, people[h.at])
	})
}

// newPeople makes ids that grow: UUIDv7 (RFC 9562, section 5.7).
func newPeople(n int) ([]domain.ID, error) {
	random := bufio.NewReaderSize(rand.Reader, min(16*n, 1<<14))
	ids := make([]domain.ID, n)
	for i := range ids {
		id, err := uuid.NewV7FromReader(random)
		if err != nil {
			return nil, err
		}
		ids[i] = domain.ID(id)
	}
	return ids, nil
}

// Find returns the person behind a normalised address.
func (s *Store) Find(ctx context.Context, account domain.ID, address string) (person domain.ID, found bool, err error) {
	h := s.directory.one(account, address)
	staged := s.writer.staged.Load() // asked first: what is merged meanwhile is found below
	person, found, err = s.reader.lookIn(ctx, directoryBook, h)
	if err != nil || found || !staged {
		return person, found, err
	}
	err = s.writer.do(func(w *writer) (err error) {
		person, found, err = w.get(directoryBook, h)
		return err
	})
	return person, found, err
}

// Suppressed reports whether the address is on the suppression list.
func (s *Store) Suppressed(ctx context.Context, account domain.ID, address string) (bool, error) {
	_, found, err := s.reader.lookIn(ctx, suppressionBook, s.suppressed.one(account, address))
	return found, err
}

// Move gives a person another address. It refuses with ErrAddressTaken when
// somebody else has it, with ErrAddressSuppressed when its owner was erased.
// Asked again it changes nothing.
func (s *Store) Move(_ context.Context, account domain.ID, old, new string, person domain.ID) error {
	from, to, gone := s.directory.one(account, old), s.directory.one(account, new), s.suppressed.one(account, new)
	var refusal error
	err := s.writer.do(func(w *writer) error {
		refusal = nil
		holder, taken, err := w.get(directoryBook, to)
		if err != nil {
			return err
		}
		_, suppressed, err := w.get(suppressionBook, gone)
		switch {
		case err != nil:
			return err
		case taken && holder != person:
			refusal = ErrAddressTaken
			return nil
		case !taken && suppressed:
			refusal = ErrAddressSuppressed
			return nil
		}
		if err := w.put(directoryBook, to, person); err != nil || from == to {
			return err
		}
		if holder, there, err := w.get(directoryBook, from); err != nil || !there || holder != person {
			return err
		}
		return w.drop(directoryBook, from)
	})
	if err != nil {
		return fmt.Errorf("move the address of subject %s: %w", person, err)
	}
	return refusal
}

// Forget removes the person's address from the directory, and puts it on the
// suppression list if asked to. An address that is another person's by now is
// left alone. Asked again it changes nothing.
func (s *Store) Forget(_ context.Context, account domain.ID, address string, person domain.ID, suppress bool) error {
	at, gone := s.directory.one(account, address), s.suppressed.one(account, address)
	err := s.writer.do(func(w *writer) error {
		holder, there, err := w.get(directoryBook, at)
		if err != nil || there && holder != person {
			return err
		}
		if there {
			err = w.drop(directoryBook, at)
		}
		if suppress {
			err = errors.Join(err, w.put(suppressionBook, gone, suppressedEntry))
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("forget an address of subject %s: %w", person, err)
	}
	return nil
}

// Unsuppress lets an address be reserved again. Only the person themself may
// cause it, first hand: never an import.
func (s *Store) Unsuppress(_ context.Context, account domain.ID, address string) error {
	gone := s.suppressed.one(account, address)
	if err := s.writer.do(func(w *writer) error { return w.drop(suppressionBook, gone) }); err != nil {
		return fmt.Errorf("take an address off the suppression list: %w", err)
	}
	return nil
}

// suppressedEntry is what the suppression list holds instead of a person.
var suppressedEntry = domain.ID{15: 1}
