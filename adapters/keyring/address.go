package keyring

import (
	"bufio"
	"bytes"
	"cmp"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"slices"

	"github.com/google/uuid"

	"github.com/cleversender/cleversender/domain"
)

// A Hash stands for an address in an account: HMAC-SHA-256 under a key of the
// book, first 16 bytes. The directory and the suppression list have different
// keys, so that one does not tell what is in the other.
type Hash [16]byte

// Compare orders hashes.
func (h Hash) Compare(o Hash) int { return bytes.Compare(h[:], o[:]) }

// Hasher is the key of a book.
type Hasher []byte

// Hashed is an address of a batch: its hash, and its place in the batch.
type Hashed struct {
	Hash Hash
	At   int
}

// All hashes addresses, in the order of the hashes, then of the addresses.
func (key Hasher) All(account domain.ID, addresses []string) []Hashed {
	mac := hmac.New(sha256.New, key)
	out := make([]Hashed, len(addresses))
	var buf, sum []byte
	for i, a := range addresses {
		mac.Reset()
		buf = append(append(buf[:0], account[:]...), a...)
		mac.Write(buf)
		sum = mac.Sum(sum[:0])
		out[i] = Hashed{Hash(sum[:16]), i}
	}
	slices.SortFunc(out, func(a, b Hashed) int {
		return cmp.Or(a.Hash.Compare(b.Hash), cmp.Compare(a.At, b.At))
	})
	return out
}

// One hashes one address.
func (key Hasher) One(account domain.ID, address string) Hash {
	return key.All(account, []string{address})[0].Hash
}

// NewPeople makes ids that grow: UUIDv7 (RFC 9562, section 5.7).
func NewPeople(n int) ([]domain.ID, error) {
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
