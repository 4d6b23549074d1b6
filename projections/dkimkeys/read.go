package dkimkeys

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/cleversender/cleversender/domain"
	"github.com/cleversender/cleversender/domain/signing"
	"github.com/cleversender/cleversender/projections"
)

// Key is a key of a domain, without its private part.
type Key struct {
	Domain, Selector string
	Algorithm        signing.Algorithm
	PublicKey        string
	CreatedAt        time.Time
	ActivatedAt      time.Time // zero: it has never signed
	RetiredAt        time.Time // zero: it may sign
}

// State is how far the key has come.
func (k Key) State() signing.State {
	switch {
	case !k.RetiredAt.IsZero():
		return signing.Retired
	case !k.ActivatedAt.IsZero():
		return signing.Active
	}
	return signing.Created
}

// most is how many keys of one account are read.
const most = 1000

// Of returns the keys of an account by domain, the newest of a domain first,
// retired ones too.
func Of(ctx context.Context, r projections.Reader, account domain.ID) ([]Key, error) {
	rows, err := r.Scan(ctx, keys, []any{account[:]}, nil, most)
	out := make([]Key, len(rows))
	for i, row := range rows {
		out[i] = read(row)
	}
	slices.SortStableFunc(out, func(a, b Key) int {
		return cmp.Or(cmp.Compare(a.Domain, b.Domain), b.CreatedAt.Compare(a.CreatedAt))
	})
	return out, err
}

// Find returns a key of the account's domain.
func Find(ctx context.Context, r projections.Reader, account domain.ID, of signing.ID, selector string) (k Key, found bool, err error) {
	row, err := r.Get(ctx, keys, account[:], of[:], selector)
	if err != nil || row == nil {
		return Key{}, false, err
	}
	return read(row), true, nil
}

func read(r projections.Row) Key {
	return Key{
		Selector: r.Text(2), Domain: r.Text(3), Algorithm: signing.Algorithm(r.Text(4)), PublicKey: r.Text(5),
		CreatedAt: r.Time(6), ActivatedAt: r.Time(7), RetiredAt: r.Time(8),
	}
}
