package keyringtest

import (
	"errors"

	"github.com/cleversender/cleversender/adapters/keyring"
)

var epochs = []promise{
	{"an epoch is not destroyed while it is needed", func(f *fixture) {
		known := Identity(NewID())
		before := f.ensure(f.s, known...)
		for n, want := range map[int]error{0: keyring.ErrEpochUnknown, 2: keyring.ErrEpochUnknown, 1: keyring.ErrEpochInUse} {
			if err := f.s.DestroyEpoch(f.ctx, n); !errors.Is(err, want) {
				f.Errorf("epoch %d: %v", n, err)
			}
		}
		for want := 2; want < 4; want++ {
			if n, err := f.s.NewEpoch(f.ctx); err != nil || n != want || f.s.Epoch() != want {
				f.Fatalf("epoch %d, %v", n, err)
			}
			for range 2 {
				f.must(f.s.DestroyEpoch(f.ctx, want-1))
			}
			f.restart()
			if f.s.Epoch() != want || !Same(before[0], f.lookup(f.s, known...)[0]) {
				f.Errorf("epoch %d, or a key, is another after a restart", want)
			}
		}
	}},
	{"an epoch rewraps many keys beside new ones", func(f *fixture) {
		subjects, beside := NewIDs(2010), NewIDs(50)
		before := f.ensure(f.s, Identity(subjects...)...)
		done := make(chan error)
		go func() { _, err := f.s.NewEpoch(f.ctx); done <- err }()
		for _, id := range beside {
			before = append(before, f.ensure(f.s, Identity(id)...)...)
		}
		f.must(<-done)
		f.must(f.s.DestroyEpoch(f.ctx, 1))
		f.restart()
		for i, after := range f.lookup(f.s, Identity(append(subjects, beside...)...)...) {
			if !Same(before[i], after) {
				f.Fatalf("key %d is another", i)
			}
		}
	}},
}
