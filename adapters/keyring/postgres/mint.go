package postgres

import (
	"bytes"
	"context"
	"crypto/cipher"
	"errors"
	"slices"

	"github.com/cleversender/cleversender/adapters/keyring"
	"github.com/cleversender/cleversender/domain/personal"
)

var errEpochUnseen = errors.New("keys are made in an epoch that is not among those of this node")

// mint makes the keys that are missing, unless somebody else just did or the
// person is erased. Who is new gets the key of what they will do together with
// that of who they are: later, somebody would wait for it.
func (s *Store) mint(ctx context.Context, refs []personal.KeyRef, out []cipher.AEAD, missing []int) error {
	fresh := make([]personal.KeyRef, 0, 2*len(missing))
	for _, i := range missing {
		fresh = append(fresh, refs[i])
		if refs[i].Class == personal.Identity {
			fresh = append(fresh, personal.KeyRef{Subject: refs[i].Subject, Class: personal.Behaviour})
		}
	}
	slices.SortFunc(fresh, keyring.CompareRefs)
	fresh = slices.Compact(fresh)
	keys := keyring.NewKeys(len(fresh))
	rows, wraps, err := s.insert(ctx, fresh, keys)
	if err != nil {
		return err
	}
	for k := range rows {
		if bytes.Equal(rows[k].wrapped, wraps[k]) {
			rows[k].wrapped = nil // ours: nothing to unwrap
		} else {
			keys[k] = nil
		}
	}
	made := make([]cipher.AEAD, len(fresh))
	if err := s.openAll(ctx, fresh, rows, made); err != nil {
		return err
	}
	for _, i := range missing {
		k, _ := slices.BinarySearchFunc(fresh, refs[i], keyring.CompareRefs)
		if keys[k] != nil && made[k] == nil {
			if made[k], err = keyring.NewAEAD(keys[k]); err != nil {
				return err
			}
		}
		out[i] = made[k]
	}
	return nil
}

// insert adds keys, and returns what is there then. When an epoch began
// elsewhere, they are wrapped in that.
func (s *Store) insert(ctx context.Context, refs []personal.KeyRef, keys [][]byte) (rows []found, wraps [][]byte, err error) {
	subjects, classes := columns(refs)
	wraps = make([][]byte, len(refs))
	for e := s.epochs.Load(); ; {
		for i, ref := range refs {
			wraps[i] = e.Wrap(ref, keys[i])
		}
		rows, err = s.found(ctx, len(refs), `SELECT n, wrapped, erased FROM mint($1, $2, $3, $4, $5)`,
			s.place.gate, e.Current(), subjects, classes, wraps)
		if err != nil || !slices.ContainsFunc(rows, found.missing) {
			return rows, wraps, err
		}
		old := e.Current()
		if e, err = s.reload(ctx); err != nil {
			return nil, nil, err
		}
		if e.Current() == old {
			return nil, nil, errEpochUnseen
		}
	}
}
