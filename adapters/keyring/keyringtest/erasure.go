package keyringtest

import (
	"bytes"
	"context"
	"crypto/cipher"

	"pgregory.net/rapid"

	"github.com/cleversender/cleversender/domain"
	"github.com/cleversender/cleversender/domain/personal"
)

var erasure = []promise{
	{"an erased person has no key and gets none", func(f *fixture) {
		gone, stranger, other := NewID(), NewID(), NewID()
		refs := append(Identity(gone, other), personal.KeyRef{Subject: gone, Class: personal.Evidence})
		before := f.ensure(f.s, refs...)
		for range 2 { // the second changes nothing
			if n, err := f.s.Shred(f.ctx, gone); err != nil || n != 3 { // of behaviour, too
				f.Fatalf("shredded %d, %v", n, err)
			}
		}
		if n, err := f.s.Shred(f.ctx, stranger); err != nil || n != 0 {
			f.Fatalf("shredded %d of a person without keys, %v", n, err)
		}
		f.must(f.s.Purge(f.ctx))
		for range 2 {
			for _, get := range []func(context.Context, []personal.KeyRef) ([]cipher.AEAD, error){f.s.Ensure, f.s.Lookup} {
				keys, err := get(f.ctx, append(refs, Identity(stranger)...))
				f.must(err)
				if keys[0] != nil || keys[2] != nil || keys[3] != nil {
					f.Error("an erased person has a key")
				}
				if !Same(keys[1], before[1]) {
					f.Error("somebody else lost theirs")
				}
			}
			f.restart()
		}
		for range 2 {
			if n, err := f.s.Shred(f.ctx, gone); err != nil || n != 3 {
				f.Errorf("%d keys were shredded, %v", n, err)
			}
		}
	}},
	{"the shredded never come back", neverBack},
}

func neverBack(f *fixture) {
	rapid.Check(f, func(r *rapid.T) {
		people := NewIDs(4)
		shredded := map[domain.ID]bool{}
		sealed := map[personal.KeyRef][]byte{}
		nonce := make([]byte, 12)
		ref := rapid.Custom(func(r *rapid.T) personal.KeyRef {
			return personal.KeyRef{
				Subject: rapid.SampledFrom(people).Draw(r, "who"),
				Class:   rapid.SampledFrom([]personal.Class{personal.Identity, personal.Evidence}).Draw(r, "class"),
			}
		})
		check := func(r *rapid.T) {
			for ref, text := range sealed {
				keys, err := f.s.Lookup(f.ctx, []personal.KeyRef{ref})
				if err != nil {
					r.Fatalf("a key that existed: %v", err)
				}
				if shredded[ref.Subject] != (keys[0] == nil) {
					r.Fatalf("shredded %v, key there %v", shredded[ref.Subject], keys[0] != nil)
				}
				if keys[0] != nil {
					if plain, err := keys[0].Open(nil, nonce, text, nil); err != nil || !bytes.Equal(plain, []byte("x")) {
						r.Fatalf("the key of a living person is another: %v", err)
					}
				}
			}
		}
		r.Repeat(map[string]func(*rapid.T){
			"ensure": func(r *rapid.T) {
				refs := rapid.SliceOfN(ref, 1, 5).Draw(r, "refs")
				keys, err := f.s.Ensure(f.ctx, refs)
				if err != nil {
					r.Fatal(err)
				}
				for i, ref := range refs {
					if (keys[i] == nil) != shredded[ref.Subject] {
						r.Fatalf("shredded %v, key there %v", shredded[ref.Subject], keys[i] != nil)
					}
					if keys[i] != nil && sealed[ref] == nil {
						sealed[ref] = keys[i].Seal(nil, nonce, []byte("x"), nil)
					}
				}
			},
			"shred": func(r *rapid.T) {
				who := rapid.SampledFrom(people).Draw(r, "who")
				if _, err := f.s.Shred(f.ctx, who); err != nil {
					r.Fatal(err)
				}
				shredded[who] = true
			},
			"new epoch": func(r *rapid.T) {
				n, err := f.s.NewEpoch(f.ctx)
				if err != nil {
					r.Fatal(err)
				}
				if err := f.s.DestroyEpoch(f.ctx, n-1); err != nil {
					r.Fatal(err)
				}
			},
			"restart": func(*rapid.T) { f.restart() },
			"":        check,
		})
	})
}
