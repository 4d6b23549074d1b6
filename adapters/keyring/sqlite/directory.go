package sqlite

import (
	"context"
	"errors"
	"fmt"

	"github.com/cleversender/cleversender/adapters/keyring"
	"github.com/cleversender/cleversender/domain"
)

func (s *Store) openDirectory(ctx context.Context) (err error) {
	if s.directory, err = s.secret(ctx, keyring.ForDirectory); err != nil {
		return err
	}
	s.suppressed, err = s.secret(ctx, keyring.ForSuppression)
	return err
}

// Reserve finds the person of each address of an account, or mints one, with
// ids that grow in the order of the addresses. Addresses are normalised. What
// it returns is durable. Thousands at a time cost the least.
func (s *Store) Reserve(ctx context.Context, account domain.ID, addresses []string) ([]keyring.Reservation, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if len(addresses) == 0 {
		return nil, nil
	}
	held, gone := s.directory.All(account, addresses), s.suppressed.All(account, addresses)
	people, err := keyring.NewPeople(len(addresses))
	if err != nil {
		return nil, err
	}
	out := make([]keyring.Reservation, len(addresses))
	err = s.writer.do(func(w *writer) error {
		clear(out)
		err := w.books[suppressionBook].look(w, gone, func(h keyring.Hashed, in *bucket) {
			_, out[h.At].Suppressed = in.get(h.Hash)
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
func (w *writer) known(held []keyring.Hashed, out []keyring.Reservation) (fresh []keyring.Hashed, err error) {
	unstaged := make([]keyring.Hashed, 0, len(held))
	for _, h := range held {
		if e, ok := w.staging.entries[h.Hash]; ok {
			out[h.At] = keyring.Reservation{Person: e.person, Known: true}
		} else {
			unstaged = append(unstaged, h)
		}
	}
	there := make(map[int]bool)
	err = w.books[directoryBook].look(w, unstaged, func(h keyring.Hashed, in *bucket) {
		if person, ok := in.get(h.Hash); ok {
			out[h.At] = keyring.Reservation{Person: person, Known: true}
			there[h.At] = true
		}
	})
	for _, h := range unstaged {
		if !there[h.At] && !out[h.At].Suppressed {
			fresh = append(fresh, h)
		}
	}
	return fresh, err
}

// reserve gives each of the addresses, sorted, to a person; one that comes
// again in the batch is known by then.
func (w *writer) reserve(fresh []keyring.Hashed, people []domain.ID, out []keyring.Reservation) error {
	first := fresh[:0]
	for _, h := range fresh {
		if n := len(first); n > 0 && first[n-1].Hash == h.Hash {
			out[h.At] = keyring.Reservation{Person: out[first[n-1].At].Person, Known: true}
			continue
		}
		out[h.At].Person = people[h.At]
		first = append(first, h)
	}
	if len(first) >= stageAtLeast {
		return w.stage(first, func(h keyring.Hashed) domain.ID { return people[h.At] })
	}
	return w.books[directoryBook].visit(w, first, func(h keyring.Hashed, in *bucket) error {
		return in.put(h.Hash, people[h.At])
	})
}

// Find returns the person behind a normalised address.
func (s *Store) Find(ctx context.Context, account domain.ID, address string) (person domain.ID, found bool, err error) {
	h := s.directory.One(account, address)
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
	_, found, err := s.reader.lookIn(ctx, suppressionBook, s.suppressed.One(account, address))
	return found, err
}

// Move gives a person another address. It refuses with ErrAddressTaken when
// somebody else has it, with ErrAddressSuppressed when its owner was erased.
// Asked again it changes nothing.
func (s *Store) Move(_ context.Context, account domain.ID, old, new string, person domain.ID) error {
	from, to, gone := s.directory.One(account, old), s.directory.One(account, new), s.suppressed.One(account, new)
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
			refusal = keyring.ErrAddressTaken
			return nil
		case !taken && suppressed:
			refusal = keyring.ErrAddressSuppressed
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
	at, gone := s.directory.One(account, address), s.suppressed.One(account, address)
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
	gone := s.suppressed.One(account, address)
	if err := s.writer.do(func(w *writer) error { return w.drop(suppressionBook, gone) }); err != nil {
		return fmt.Errorf("take an address off the suppression list: %w", err)
	}
	return nil
}

// suppressedEntry is what the suppression list holds instead of a person.
var suppressedEntry = domain.ID{15: 1}
