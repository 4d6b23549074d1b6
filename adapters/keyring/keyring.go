// Package keyring says what every keyring promises, and has what they share:
// how keys are wrapped, secrets sealed and addresses hashed.
//
// A keyring keeps the keys that personal data is sealed with, and the directory
// that finds people by a keyed hash of their address. What holds, whatever it
// is kept in (keyringtest proves it on each):
//
//   - What a method returns without error is durable: committed and synced.
//   - Shred is for good. The person's keys are destroyed, a tombstone stays,
//     and no key is made for them again. Who looks gets nil: the person is erased.
//   - A key that was asked for and never existed is ErrKeyMissing: not an
//     erasure but a loss.
//   - Without the right root key nothing opens: root_key_missing, root_key_wrong.
//
// What an epoch gives: a backup of the keys holds those of people who were
// erased after it was made, wrapped by the key-encryption key (KEK) of that
// time. Once NewEpoch has rewrapped the living keys and DestroyEpoch has
// destroyed that KEK, such a backup opens nobody's data. So make a fresh backup
// between the two.
//
// What it does not give: it cannot reach a copy of the KEKs made before
// DestroyEpoch, when the root key is at hand as well. Keep them out of the
// backups that are kept for long, and away from those of the keys. Old backups
// of the directory still say, to who holds the root key, that an address was
// known then.
package keyring

import (
	"bytes"
	"cmp"
	"crypto/rand"
	"errors"
	"maps"
	"slices"

	"github.com/cleversender/cleversender/domain"
	"github.com/cleversender/cleversender/domain/personal"
)

// ErrKeyMissing: a key that never existed was asked for, so something sealed
// is lost, or comes from elsewhere. It is a fault, and worth an alarm.
var ErrKeyMissing = errors.New("the key never existed")

// ErrClosed: the store was closed.
var ErrClosed = errors.New("keyring is closed")

// ErrDestroyed: the secret of this name was destroyed. Another needs another name.
var ErrDestroyed = domain.Refuse("secret_destroyed", "the secret has been destroyed")

// Refusals of the directory.
var (
	ErrAddressTaken      = domain.Refuse("address_taken", "another subscriber has this address")
	ErrAddressSuppressed = domain.Refuse("address_suppressed", "the person behind this address was erased and has not come back")
)

// Reservation is what the directory says of an address.
type Reservation struct {
	Person     domain.ID // zero when suppressed
	Known      bool      // the address was there before, maybe from earlier in the same call
	Suppressed bool      // the person behind it was erased: they have to come back by themself
}

// SecretClass is beside the classes of people's data. It is stored.
const SecretClass personal.Class = 255

// Classes lists every class that keys are kept for, in order.
var Classes = slices.Sorted(slices.Values(append(slices.Collect(maps.Values(personal.Classes)), SecretClass)))

// CompareRefs orders keys by person, then class.
func CompareRefs(a, b personal.KeyRef) int {
	return cmp.Or(bytes.Compare(a.Subject[:], b.Subject[:]), cmp.Compare(a.Class, b.Class))
}

const keySize = 32

// NewKeys makes n random keys.
func NewKeys(n int) [][]byte {
	all, keys := make([]byte, keySize*n), make([][]byte, n)
	_, _ = rand.Read(all) // never fails (crypto/rand)
	for i := range keys {
		keys[i] = all[keySize*i : keySize*(i+1) : keySize*(i+1)]
	}
	return keys
}
