package keyring

import (
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"strconv"

	"github.com/cleversender/cleversender/domain"
)

// Refusals around epochs.
var (
	ErrEpochsMissing = domain.Refuse("epochs_missing", "the epochs are not where they belong (keys.epochs beside keys.db); without them no key opens")
	ErrEpochUnknown  = domain.Refuse("epoch_unknown", "there never was such an epoch")
	ErrEpochInUse    = domain.Refuse("epoch_in_use", "keys are still wrapped in this epoch; begin a new one first")
)

// ErrEpochGone: the key is from a backup older than the epoch's end, or from an
// epoch that has not come here yet.
var ErrEpochGone = errors.New("the key-encryption key of its epoch is not there")

// Epochs is the KEKs at hand. It is never changed, only replaced.
type Epochs struct {
	current   uint32
	rewrapped bool // every living key is in the current epoch
	keks      map[uint32]sealer
	plain     map[uint32][]byte
}

// epochsFile is the KEKs as stored.
type epochsFile struct {
	Version   int            `json:"version"`
	Current   uint32         `json:"current"`
	Rewrapped bool           `json:"rewrapped"` // false: NewEpoch has yet to finish
	KEKs      map[int][]byte `json:"keks"`      // by epoch, wrapped by the root key; destroyed ones are gone
}

// FirstEpoch is what a new store begins with.
func FirstEpoch() (*Epochs, error) {
	e := &Epochs{keks: map[uint32]sealer{}, plain: map[uint32][]byte{}}
	e, err := e.Next()
	return e.Rewrapped(), err
}

// Next has a new KEK, in which no key is wrapped yet.
func (e *Epochs) Next() (*Epochs, error) {
	n := &Epochs{e.current + 1, false, maps.Clone(e.keks), maps.Clone(e.plain)}
	var err error
	n.plain[n.current] = NewKeys(1)[0]
	n.keks[n.current], err = newSealer(n.plain[n.current])
	return n, err
}

// Without has lost the KEK of an epoch.
func (e *Epochs) Without(epoch uint32) *Epochs {
	n := &Epochs{e.current, e.rewrapped, maps.Clone(e.keks), maps.Clone(e.plain)}
	delete(n.keks, epoch)
	delete(n.plain, epoch)
	return n
}

// Rewrapped says that every living key is in the current epoch.
func (e *Epochs) Rewrapped() *Epochs { return &Epochs{e.current, true, e.keks, e.plain} }

// Current is the epoch that new keys are wrapped in.
func (e *Epochs) Current() uint32 { return e.current }

// Unfinished: some keys are still in an older epoch.
func (e *Epochs) Unfinished() bool { return !e.rewrapped }

// MayDestroy refuses to destroy an epoch that is needed, or never was. done:
// it is destroyed already. Whether a key is wrapped in it is another question.
func (e *Epochs) MayDestroy(epoch int) (done bool, err error) {
	if epoch < 1 || epoch > int(e.current) {
		return false, ErrEpochUnknown
	}
	if _, living := e.keks[uint32(epoch)]; !living {
		return true, nil
	}
	if uint32(epoch) == e.current || !e.rewrapped {
		return false, ErrEpochInUse
	}
	return false, nil
}

func kekAAD(epoch uint32) []byte { return []byte("kek/" + strconv.FormatUint(uint64(epoch), 10)) }

// DecodeEpochs reverses Encode. It refuses with ErrRootKeyWrong.
func DecodeEpochs(raw []byte, root Root) (*Epochs, error) {
	var f epochsFile
	if err := json.Unmarshal(raw, &f); err != nil || f.Version != 1 {
		return nil, errors.New("not epochs that this version can read")
	}
	e := &Epochs{f.Current, f.Rewrapped, map[uint32]sealer{}, map[uint32][]byte{}}
	for n, wrapped := range f.KEKs {
		key, err := root.key.unseal(wrapped, kekAAD(uint32(n)))
		if err != nil {
			return nil, ErrRootKeyWrong
		}
		e.plain[uint32(n)] = key
		if e.keks[uint32(n)], err = newSealer(key); err != nil {
			return nil, err
		}
	}
	if _, ok := e.keks[e.current]; !ok {
		return nil, errors.New("the current epoch is not there")
	}
	return e, nil
}

// Encode is the KEKs, wrapped by the root key.
func (e *Epochs) Encode(root Root) ([]byte, error) {
	f := epochsFile{Version: 1, Current: e.current, Rewrapped: e.rewrapped, KEKs: map[int][]byte{}}
	for _, n := range slices.Sorted(maps.Keys(e.plain)) {
		f.KEKs[int(n)] = root.key.seal(nil, e.plain[n], kekAAD(n))
	}
	raw, err := json.MarshalIndent(f, "", "  ")
	return append(raw, '\n'), err
}
