package keyring

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"

	"github.com/cleversender/cleversender/domain"
)

// Refusals around epochs.
var (
	ErrEpochsMissing = domain.Refuse("epochs_missing", "keys.epochs is not beside keys.db; without it no key opens")
	ErrEpochUnknown  = domain.Refuse("epoch_unknown", "there never was such an epoch")
	ErrEpochInUse    = domain.Refuse("epoch_in_use", "keys are still wrapped in this epoch; begin a new one first")
)

// errEpochGone: the key is from a backup older than the epoch's end.
var errEpochGone = errors.New("the key-encryption key of its epoch was destroyed")

// epochs is the KEKs at hand. It is never changed, only replaced.
type epochs struct {
	current uint32
	last    bool // every living key is in the current epoch
	keks    map[uint32]sealer
	plain   map[uint32][]byte
}

// epochsFile is keys.epochs, as stored.
type epochsFile struct {
	Version   int            `json:"version"`
	Current   uint32         `json:"current"`
	Rewrapped bool           `json:"rewrapped"` // false: NewEpoch has yet to finish
	KEKs      map[int][]byte `json:"keks"`      // by epoch, wrapped by the root key; destroyed ones are gone
}

func firstEpoch() (*epochs, error) {
	e := &epochs{last: true, keks: map[uint32]sealer{}, plain: map[uint32][]byte{}}
	return e.next(true)
}

// next is the epochs with a new, current KEK.
func (e *epochs) next(last bool) (*epochs, error) {
	key := make([]byte, keySize)
	_, _ = rand.Read(key) // never fails (crypto/rand)
	n := &epochs{e.current + 1, last, maps.Clone(e.keks), maps.Clone(e.plain)}
	var err error
	n.plain[n.current] = key
	n.keks[n.current], err = newSealer(key)
	return n, err
}

func (e *epochs) without(epoch uint32) *epochs {
	n := &epochs{e.current, e.last, maps.Clone(e.keks), maps.Clone(e.plain)}
	delete(n.keks, epoch)
	delete(n.plain, epoch)
	return n
}

func (e *epochs) rewrapped() *epochs { return &epochs{e.current, true, e.keks, e.plain} }

func kekAAD(epoch uint32) []byte { return []byte("kek/" + strconv.FormatUint(uint64(epoch), 10)) }

func readEpochs(path string, root sealer) (*epochs, error) {
	raw, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var f epochsFile
	if err := json.Unmarshal(raw, &f); err != nil || f.Version != 1 {
		return nil, fmt.Errorf("%s: not a file of epochs that this version can read", filepath.Base(path))
	}
	e := &epochs{f.Current, f.Rewrapped, map[uint32]sealer{}, map[uint32][]byte{}}
	for n, wrapped := range f.KEKs {
		key, err := root.unseal(wrapped, kekAAD(uint32(n)))
		if err != nil {
			return nil, ErrRootKeyWrong
		}
		e.plain[uint32(n)] = key
		if e.keks[uint32(n)], err = newSealer(key); err != nil {
			return nil, err
		}
	}
	if _, ok := e.keks[e.current]; !ok {
		return nil, fmt.Errorf("%s: the current epoch is not there", filepath.Base(path))
	}
	return e, nil
}

// write replaces the file: after a crash it is the old or the new one, whole.
func (e *epochs) write(path string, root sealer) error {
	f := epochsFile{Version: 1, Current: e.current, Rewrapped: e.last, KEKs: map[int][]byte{}}
	for _, n := range slices.Sorted(maps.Keys(e.plain)) {
		f.KEKs[int(n)] = root.seal(nil, e.plain[n], kekAAD(n))
	}
	raw, err := json.MarshalIndent(f, "", "  ")
	if err != nil {
		return err
	}
	if err := replaceFile(path, append(raw, '\n')); err != nil {
		return fmt.Errorf("write %s: %w", filepath.Base(path), err)
	}
	return nil
}

func replaceFile(path string, data []byte) error {
	tmp := path + ".new"
	f, err := os.OpenFile(tmp, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return errors.Join(err, os.Remove(tmp))
	}
	if err := os.Rename(tmp, path); err != nil {
		return err
	}
	return syncDir(path)
}

// syncDir makes the name of a new file durable.
func syncDir(path string) error {
	dir, err := os.Open(filepath.Dir(path))
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}
