// Package keyring keeps the keys that personal data is sealed with, and the
// directory that finds people by a keyed hash of their address.
package keyring

import (
	"context"
	"crypto/cipher"
	"errors"

	"github.com/cleversender/cleversender/domain"
	"github.com/cleversender/cleversender/domain/personal"
)

// ErrKeyMissing: a key that never existed was asked for, so something sealed
// is lost, or comes from elsewhere. It is a fault, and worth an alarm.
var ErrKeyMissing = errors.New("the key never existed")

// ErrAddressTaken: another person of the account has this address.
var ErrAddressTaken = domain.Refuse("address_taken", "another subscriber has this address")

// ErrAddressSuppressed: the person behind this address was erased.
var ErrAddressSuppressed = domain.Refuse("address_suppressed", "the person behind this address was erased and has not come back")

// Store is an open keys.db. It is safe for concurrent use.
type Store struct{}

// CreateRootKey makes the root key that uri names, file:// only; it refuses
// to touch one that exists.
func CreateRootKey(uri string) error { return errors.ErrUnsupported }

// Open opens or creates keys.db at path, with the root key that uri names.
func Open(ctx context.Context, path, uri string) (*Store, error) { return nil, errors.ErrUnsupported }

// Close waits for what is under way.
func (s *Store) Close() error { return nil }

// Ensure implements eventlog.Keyring.
func (s *Store) Ensure(ctx context.Context, refs []personal.KeyRef) ([]cipher.AEAD, error) {
	return nil, errors.ErrUnsupported
}

// Lookup implements eventlog.Keyring.
func (s *Store) Lookup(ctx context.Context, refs []personal.KeyRef) ([]cipher.AEAD, error) {
	return nil, errors.ErrUnsupported
}

// Shred destroys every key of a person for good, and returns how many have
// been destroyed, by this call or an earlier one.
func (s *Store) Shred(ctx context.Context, subject domain.ID) (keys int, err error) {
	return 0, errors.ErrUnsupported
}

// Purge leaves nothing of what was deleted in any byte of the files.
func (s *Store) Purge(ctx context.Context) error { return errors.ErrUnsupported }

// NewEpoch rewraps every living key with a new key-encryption key.
func (s *Store) NewEpoch(ctx context.Context) (epoch int, err error) { return 0, errors.ErrUnsupported }

// DestroyEpoch destroys the key-encryption key of an epoch that wraps nothing any more.
func (s *Store) DestroyEpoch(ctx context.Context, epoch int) error { return errors.ErrUnsupported }

// MACKey is the server's 32-byte secret for a purpose, made when first asked for.
func (s *Store) MACKey(ctx context.Context, purpose string) ([]byte, error) {
	return nil, errors.ErrUnsupported
}

// Reservation is what the directory says of an address.
type Reservation struct {
	Person     domain.ID // zero when suppressed
	Known      bool      // the address was there before, maybe from earlier in the same call
	Suppressed bool      // the person behind it was erased: it has to come back by itself
}

// Reserve finds the person of each address of an account, or mints one.
// Addresses are normalised. What it returns is durable.
func (s *Store) Reserve(ctx context.Context, account domain.ID, addresses []string) ([]Reservation, error) {
	return nil, errors.ErrUnsupported
}

// Find returns the person behind a normalised address.
func (s *Store) Find(ctx context.Context, account domain.ID, address string) (person domain.ID, found bool, err error) {
	return domain.ID{}, false, errors.ErrUnsupported
}

// Suppressed reports whether the address is on the suppression list.
func (s *Store) Suppressed(ctx context.Context, account domain.ID, address string) (bool, error) {
	return false, errors.ErrUnsupported
}

// Move gives a person another address, or refuses with ErrAddressTaken or ErrAddressSuppressed.
func (s *Store) Move(ctx context.Context, account domain.ID, old, new string, person domain.ID) error {
	return errors.ErrUnsupported
}

// Forget removes the person's address from the directory, and puts it on the
// suppression list if asked to.
func (s *Store) Forget(ctx context.Context, account domain.ID, address string, person domain.ID, suppress bool) error {
	return errors.ErrUnsupported
}

// Unsuppress lets an address be reserved again. Only the person themself may
// cause it, first hand: never an import.
func (s *Store) Unsuppress(ctx context.Context, account domain.ID, address string) error {
	return errors.ErrUnsupported
}
