package postgres

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/cleversender/cleversender/adapters/keyring"
	"github.com/cleversender/cleversender/domain"
)

// Reserve finds the person of each address of an account, or mints one, with
// ids that grow in the order of the addresses. Addresses are normalised. What
// it returns is durable. Thousands at a time cost the least.
func (s *Store) Reserve(ctx context.Context, account domain.ID, addresses []string) ([]keyring.Reservation, error) {
	if err := ctx.Err(); err != nil || len(addresses) == 0 {
		return nil, err
	}
	people, err := keyring.NewPeople(len(addresses))
	if err != nil {
		return nil, err
	}
	out, minted := make([]keyring.Reservation, len(addresses)), make([][16]byte, len(addresses))
	for i, id := range people {
		minted[i] = id
	}
	err = s.query(ctx, func() { clear(out) }, func(rows pgx.Rows) error {
		var n int64
		var person *[16]byte
		var suppressed bool
		if err := rows.Scan(&n, &person, &suppressed); err != nil {
			return err
		}
		r := keyring.Reservation{Suppressed: suppressed && person == nil}
		if person != nil {
			r.Person, r.Known = *person, *person != minted[n-1]
		}
		out[n-1] = r
		return nil
	}, `SELECT n, person, suppressed FROM reserve($1, $2, $3, $4)`,
		s.place.gate, hashes(s.directory, account, addresses), hashes(s.suppressed, account, addresses), minted)
	if err != nil {
		return nil, fmt.Errorf("reserve %d addresses: %w", len(addresses), err)
	}
	return out, nil
}

// hashes hashes addresses, in their order.
func hashes(by keyring.Hasher, account domain.ID, addresses []string) [][16]byte {
	out := make([][16]byte, len(addresses))
	for _, h := range by.All(account, addresses) {
		out[h.At] = h.Hash
	}
	return out
}

// Find returns the person behind a normalised address.
func (s *Store) Find(ctx context.Context, account domain.ID, address string) (person domain.ID, found bool, err error) {
	err = s.query(ctx, func() { found = false }, func(rows pgx.Rows) error {
		found = true
		return rows.Scan((*[16]byte)(&person))
	}, `SELECT person FROM directory WHERE hash = $1`, one(s.directory, account, address))
	if err != nil {
		return domain.ID{}, false, fmt.Errorf("find an address: %w", err)
	}
	return person, found, nil
}

func one(by keyring.Hasher, account domain.ID, address string) [16]byte {
	return by.One(account, address)
}

// Suppressed reports whether the address is on the suppression list.
func (s *Store) Suppressed(ctx context.Context, account domain.ID, address string) (yes bool, err error) {
	err = s.query(ctx, func() { yes = false }, func(pgx.Rows) error {
		yes = true
		return nil
	}, `SELECT FROM suppressed WHERE hash = $1`, one(s.suppressed, account, address))
	if err != nil {
		return false, fmt.Errorf("look at the suppression list: %w", err)
	}
	return yes, nil
}

// Move gives a person another address. It refuses with ErrAddressTaken when
// somebody else has it, with ErrAddressSuppressed when its owner was erased.
// Asked again it changes nothing.
func (s *Store) Move(ctx context.Context, account domain.ID, old, new string, person domain.ID) error {
	from, to, gone := one(s.directory, account, old), one(s.directory, account, new), one(s.suppressed, account, new)
	var holder *[16]byte
	err := s.alone(ctx, func(b *pgx.Batch) {
		b.Queue(`INSERT INTO directory (hash, person) SELECT $1::uuid, $2::uuid WHERE NOT EXISTS (SELECT FROM suppressed WHERE hash = $3)
			ON CONFLICT DO NOTHING`, to, [16]byte(person), gone)
		b.Queue(`DELETE FROM directory WHERE hash = $1 AND person = $2 AND hash <> $3
			AND EXISTS (SELECT FROM directory d WHERE d.hash = $3 AND d.person = $2)`, from, [16]byte(person), to)
		b.Queue(`SELECT (SELECT person FROM directory WHERE hash = $1)`, to).
			QueryRow(func(row pgx.Row) error { return row.Scan(&holder) })
	})
	switch {
	case err != nil:
		return fmt.Errorf("move the address of subject %s: %w", person, err)
	case holder == nil:
		return keyring.ErrAddressSuppressed
	case *holder != person:
		return keyring.ErrAddressTaken
	}
	return nil
}

// Forget removes the person's address from the directory, and puts it on the
// suppression list if asked to. An address that is another person's by now is
// left alone. Asked again it changes nothing.
func (s *Store) Forget(ctx context.Context, account domain.ID, address string, person domain.ID, suppress bool) error {
	held := one(s.directory, account, address)
	err := s.alone(ctx, func(b *pgx.Batch) {
		b.Queue(`DELETE FROM directory WHERE hash = $1 AND person = $2`, held, [16]byte(person))
		if suppress {
			b.Queue(`INSERT INTO suppressed (hash) SELECT $1::uuid WHERE NOT EXISTS (SELECT FROM directory WHERE hash = $2)
				ON CONFLICT DO NOTHING`, one(s.suppressed, account, address), held)
		}
	})
	if err != nil {
		return fmt.Errorf("forget an address of subject %s: %w", person, err)
	}
	return nil
}

// Unsuppress lets an address be reserved again. Only the person themself may
// cause it, first hand: never an import.
func (s *Store) Unsuppress(ctx context.Context, account domain.ID, address string) error {
	err := s.alone(ctx, func(b *pgx.Batch) {
		b.Queue(`DELETE FROM suppressed WHERE hash = $1`, one(s.suppressed, account, address))
	})
	if err != nil {
		return fmt.Errorf("take an address off the suppression list: %w", err)
	}
	return nil
}
