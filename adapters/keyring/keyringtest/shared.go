package keyringtest

import (
	"bytes"
	"crypto/cipher"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cleversender/cleversender/adapters/keyring"
	"github.com/cleversender/cleversender/domain"
	"github.com/cleversender/cleversender/domain/personal"
)

// Each has two nodes, f.s and another.
var shared = []promise{
	{"nodes that open an empty keyring at once have one", func(f *fixture) {
		home, nodes := f.fresh(f.T), make([]Store, 4)
		var all sync.WaitGroup
		for i := range nodes {
			all.Go(func() {
				var err error
				if nodes[i], err = home(f.root); err != nil {
					f.Error(err)
				}
			})
		}
		all.Wait()
		if f.Failed() {
			return
		}
		person := Identity(NewID())
		key := f.ensure(nodes[0], person...)[0]
		for _, s := range nodes {
			if !Same(key, f.lookup(s, person...)[0]) {
				f.Error("a node has another key")
			}
			f.must(s.Close())
		}
	}},
	{"nodes that make the same keys at once use the same", func(f *fixture) {
		other := f.open()
		for range 20 {
			refs := Identity(NewIDs(100)...)
			backwards := slices.Clone(refs)
			slices.Reverse(backwards)
			var here, there []cipher.AEAD
			var all sync.WaitGroup
			all.Go(func() { here, _ = f.s.Ensure(f.ctx, refs) })
			all.Go(func() { there, _ = other.Ensure(f.ctx, backwards) })
			all.Wait()
			for i := range refs {
				if here == nil || there == nil || !Same(here[i], there[len(refs)-1-i]) {
					f.Fatalf("key %d differs", i)
				}
			}
		}
	}},
	{"who was erased by one node gets no key from another", func(f *fixture) {
		other := f.open()
		gone := NewID()
		refs := append(Identity(gone), behaviour(gone))
		f.ensure(other, refs...)
		f.lookup(other, refs...) // it has them in memory
		if n, err := f.s.Shred(f.ctx, gone); err != nil || n != 2 {
			f.Fatalf("%d keys, %v", n, err)
		}
		for i, key := range f.ensure(other, append(refs, personal.KeyRef{Subject: gone, Class: personal.Evidence})...) {
			if key != nil {
				f.Errorf("key %d is given out to seal with", i)
			}
		}
		f.until("nobody opens what the erased person left", func() bool { return f.lookup(other, refs...)[0] == nil })
	}},
	{"erased while another node makes their keys, nobody has one", func(f *fixture) {
		other := f.open()
		for range 30 {
			people := NewIDs(20)
			var all sync.WaitGroup
			all.Go(func() { _, _ = other.Ensure(f.ctx, Identity(people...)) })
			for _, s := range []Store{f.s, other} {
				all.Go(func() {
					for _, p := range people {
						if _, err := s.Shred(f.ctx, p); err != nil {
							f.Error(err)
						}
						if keys, err := f.s.Ensure(f.ctx, Identity(p)); err != nil || keys[0] != nil {
							f.Errorf("a key, after the erasure, or %v", err)
						}
					}
				})
			}
			all.Wait()
			for _, key := range f.ensure(other, Identity(people...)...) {
				if key != nil {
					f.Fatal("the key of an erased person")
				}
			}
		}
	}},
	{"a node goes on in an epoch that another began", func(f *fixture) {
		other := f.open()
		old, late := Identity(NewIDs(3)...), Identity(NewIDs(3)...)
		before := f.ensure(f.s, old...)
		for epoch := 2; epoch < 5; epoch++ {
			n, err := f.s.NewEpoch(f.ctx)
			if err != nil || n != epoch {
				f.Fatalf("epoch %d, %v", n, err)
			}
			f.must(f.s.DestroyEpoch(f.ctx, epoch-1))
			made := f.ensure(other, late...)
			for i, key := range f.lookup(other, old...) {
				if !Same(key, before[i]) || !Same(made[i], f.lookup(f.s, late...)[i]) {
					f.Fatal("nodes do not have the same keys")
				}
			}
			f.until("the node knows the epoch", func() bool { return other.Epoch() == epoch })
			if err := other.DestroyEpoch(f.ctx, epoch); !errors.Is(err, keyring.ErrEpochInUse) {
				f.Errorf("the epoch in force: %v", err)
			}
		}
	}},
	{"no key that is made beside new epochs is lost", beside},
	{"secrets that nodes make at once are the same", func(f *fixture) {
		other := f.open()
		for i := range 10 {
			var macs, kept [2][]byte
			var all sync.WaitGroup
			for k, s := range []Store{f.s, other} {
				all.Go(func() {
					name := fmt.Sprint(i)
					macs[k], _ = s.MACKey(f.ctx, name)
					kept[k], _ = s.Keep(f.ctx, name, func() ([]byte, error) { return []byte{byte(k)}, nil })
				})
			}
			all.Wait()
			if macs[0] == nil || !bytes.Equal(macs[0], macs[1]) || kept[0] == nil || !bytes.Equal(kept[0], kept[1]) {
				f.Fatal("secrets differ")
			}
		}
	}},
	{"nodes that reserve the same addresses at once find the same people", func(f *fixture) {
		other := f.open()
		for i := range 10 {
			here, there := names(i*1000, 500), slices.Clone(names(i*1000, 500))
			slices.Reverse(there)
			var a, b []keyring.Reservation
			var all sync.WaitGroup
			all.Go(func() { a, _ = f.s.Reserve(f.ctx, account, here) })
			all.Go(func() { b, _ = other.Reserve(f.ctx, account, there) })
			all.Wait()
			if a == nil || b == nil {
				f.Fatal("not reserved")
			}
			slices.Reverse(b)
			for k := range a {
				if a[k].Person != b[k].Person || a[k].Known == b[k].Known || a[k].Suppressed {
					f.Fatalf("%s: %+v and %+v", here[k], a[k], b[k])
				}
			}
		}
	}},
	{"who was suppressed by one node is not reserved by another", func(f *fixture) {
		other := f.open()
		for i := range 50 {
			name := names(i, 1)[0]
			person := f.reserve(f.s, account, name)[0].Person
			var all sync.WaitGroup
			all.Go(func() { _, _ = other.Reserve(f.ctx, account, names(0, 50)) })
			f.must(f.s.Forget(f.ctx, account, name, person, true))
			if r := f.reserve(f.s, account, name)[0]; !r.Suppressed || !r.Person.IsZero() {
				f.Errorf("forgotten, and %+v", r)
			}
			all.Wait()
			if r := f.reserve(other, account, name)[0]; !r.Suppressed {
				f.Fatalf("on the other node: %+v", r)
			}
		}
	}},
	{"an address that two people move to has one of them", func(f *fixture) {
		other := f.open()
		for i := range 20 {
			from, to := names(i*10, 2), names(i*10+5, 1)[0]
			people := f.reserve(f.s, account, from...)
			var errs [2]error
			var all sync.WaitGroup
			for k, s := range []Store{f.s, other} {
				all.Go(func() { errs[k] = s.Move(f.ctx, account, from[k], to, people[k].Person) })
			}
			all.Wait()
			winner := slices.Index(errs[:], nil)
			if winner < 0 || !errors.Is(errs[1-winner], keyring.ErrAddressTaken) {
				f.Fatalf("got %v", errs)
			}
			want := map[string]domain.ID{to: people[winner].Person, from[winner]: {}, from[1-winner]: people[1-winner].Person}
			for name, person := range want {
				if p, _, err := other.Find(f.ctx, account, name); p != person || err != nil {
					f.Fatalf("%s: %v, %v", name, p, err)
				}
			}
		}
	}},
}

func beside(f *fixture) {
	other, third := f.open(), f.open()
	var over atomic.Bool
	var made []personal.KeyRef
	var keys []cipher.AEAD
	var all sync.WaitGroup
	all.Go(func() {
		for !over.Load() {
			refs := Identity(NewIDs(5)...)
			got, err := other.Ensure(f.ctx, refs)
			if err != nil {
				f.Error(err)
				return
			}
			made, keys = append(made, refs...), append(keys, got...)
		}
	})
	var rotating sync.WaitGroup
	for _, s := range []Store{f.s, third} { // one epoch each at a time
		rotating.Go(func() {
			for range 5 {
				n, err := s.NewEpoch(f.ctx)
				if err != nil {
					f.Error(err)
					return
				}
				if err := s.DestroyEpoch(f.ctx, n-1); err != nil {
					f.Error(err)
				}
			}
		})
	}
	rotating.Wait()
	over.Store(true)
	all.Wait()
	if len(made) == 0 || f.s.Epoch() < 11 && third.Epoch() < 11 {
		f.Errorf("%d keys were made, in epochs up to %d", len(made), f.s.Epoch())
	}
	for i, key := range f.lookup(f.open(), made...) {
		if !Same(keys[i], key) {
			f.Fatalf("key %d is another", i)
		}
	}
}

// until waits for what comes true soon.
func (f *fixture) until(what string, true func() bool) {
	f.Helper()
	for began := time.Now(); !true(); time.Sleep(time.Millisecond) {
		if time.Since(began) > time.Minute {
			f.Fatalf("not within a minute: %s", what)
		}
	}
}
