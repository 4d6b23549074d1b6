package keyringtest

import (
	"bytes"
	"context"
	"crypto/cipher"
	"encoding/base64"
	"errors"
	"os"
	"path/filepath"
	"sync"

	"github.com/cleversender/cleversender/adapters/keyring"
	"github.com/cleversender/cleversender/domain"
	"github.com/cleversender/cleversender/domain/personal"
)

var keys = []promise{
	{"a key is the same ever after", func(f *fixture) {
		refs := Identity(NewIDs(2)...)
		refs = append(refs, behaviour(refs[0].Subject), refs[0])
		first := f.ensure(f.s, refs...)
		if !Same(first[0], first[3]) || Same(first[0], first[1]) || Same(first[0], first[2]) {
			f.Error("one key a person and class, no more, no fewer")
		}
		f.restart()
		for i, again := range f.lookup(f.s, refs...) {
			if !Same(first[i], again) {
				f.Errorf("key %d is another after a restart", i)
			}
		}
	}},
	{"who is new has a key for what they will do, and nobody gets a second one", func(f *fixture) {
		early, both, slow, late := NewID(), NewID(), NewID(), NewID()
		first := f.ensure(f.s, behaviour(early), behaviour(both), Identity(both)[0], behaviour(both))
		f.ensure(f.s, Identity(early)...)
		f.ensure(f.s, Identity(late)...)
		f.ensure(f.s, Identity(slow)...)
		f.restart()
		keys := f.lookup(f.s, behaviour(late), behaviour(early), behaviour(both), behaviour(slow))
		if keys[0] == nil || keys[3] == nil || !Same(keys[1], first[0]) || !Same(keys[2], first[1]) || !Same(keys[2], first[3]) {
			f.Error("a key is another after a restart")
		}
	}},
	{"keys of many are found in any order, side by side or far apart", near},
	{"who has given up waiting gets no keys", func(f *fixture) {
		known := NewID()
		f.ensure(f.s, Identity(known)...)
		f.restart()
		over, cancel := context.WithCancel(f.ctx)
		cancel()
		if _, err := f.s.Lookup(over, Identity(known)); !errors.Is(err, context.Canceled) {
			f.Errorf("got %v", err)
		}
	}},
	{"callers that come together get the same keys", func(f *fixture) {
		refs := Identity(NewIDs(3)...)
		got := make([][]cipher.AEAD, 32)
		var all sync.WaitGroup
		for i := range got {
			all.Go(func() { got[i], _ = f.s.Ensure(f.ctx, refs) })
		}
		all.Wait()
		for i := range got {
			for k := range refs {
				if got[i] == nil || !Same(got[0][k], got[i][k]) {
					f.Fatalf("caller %d has another key", i)
				}
			}
		}
	}},
	{"a key that never existed is a fault", func(f *fixture) {
		known := NewID()
		f.ensure(f.s, Identity(known)...)
		for _, ref := range []personal.KeyRef{
			{Subject: NewID(), Class: personal.Identity},
			{Subject: known, Class: personal.Evidence},
			{Subject: domain.ID{1}, Class: personal.Identity},
		} {
			_, err := f.s.Lookup(f.ctx, []personal.KeyRef{{Subject: known, Class: personal.Identity}, ref})
			if !errors.Is(err, keyring.ErrKeyMissing) || errors.As(err, new(domain.Refusal)) {
				f.Errorf("got %v", err)
			}
		}
	}},
	{"without the right root key nothing opens", func(f *fixture) {
		f.must(f.s.Close())
		bad := filepath.Join(f.TempDir(), "bad.key")
		f.must(os.WriteFile(bad, []byte("c2hvcnQ=\n"), 0o600))
		none := "file://" + filepath.Join(f.TempDir(), "none")
		f.Setenv("KEYRING_TEST_EMPTY", "")
		for uri, want := range map[string]error{
			none:                       keyring.ErrRootKeyMissing,
			"env://KEYRING_TEST_EMPTY": keyring.ErrRootKeyMissing,
			NewRoot(f):                 keyring.ErrRootKeyWrong,
			"file://" + bad:            keyring.ErrRootKeyBad,
			"https://example.com/key":  keyring.ErrRootKeyURI,
			"":                         keyring.ErrRootKeyURI,
		} {
			if _, err := f.home(uri); !errors.Is(err, want) {
				f.Errorf("%s: got %v, want %v", uri, err, want)
			}
		}
		if _, err := os.Stat(none[len("file://"):]); err == nil {
			f.Error("opening made a root key")
		}
		if err := keyring.CreateRootKey(f.root); !errors.Is(err, keyring.ErrRootKeyExists) {
			f.Errorf("a root key was made over another: %v", err)
		}
		raw, err := os.ReadFile(f.root[len("file://"):])
		f.must(err)
		f.Setenv("KEYRING_TEST_ROOT", string(bytes.TrimSpace(raw)))
		if _, err := base64.StdEncoding.DecodeString(os.Getenv("KEYRING_TEST_ROOT")); err != nil {
			f.Error(err)
		}
		s, err := f.home("env://KEYRING_TEST_ROOT")
		f.must(err)
		f.must(s.Close())
	}},
	{"what is closed says so", func(f *fixture) {
		f.must(f.s.Close())
		if _, err := f.s.Ensure(f.ctx, Identity(NewID())); !errors.Is(err, keyring.ErrClosed) {
			f.Errorf("after Close: %v", err)
		}
		f.must(f.s.Close())
	}},
}

func near(f *fixture) {
	const all = 400
	for order, batches := range map[string][][2]int{
		"by id":                   {{0, all}},
		"the last came first":     {{all / 2, all}, {0, all / 2}},
		"some came later":         {{0, 100}, {150, all}, {100, 150}},
		"the first one came last": {{1, all}, {0, 1}},
	} {
		subjects, made := NewIDs(all), make([]cipher.AEAD, all)
		for _, b := range batches {
			copy(made[b[0]:b[1]], f.ensure(f.s, Identity(subjects[b[0]:b[1]]...)...))
		}
		gone := all / 2
		if _, err := f.s.Shred(f.ctx, subjects[gone]); err != nil {
			f.Fatal(err)
		}
		made[gone] = nil
		for _, step := range []int{1, 2, 10} {
			f.restart() // nothing is cached
			var some []domain.ID
			var want []cipher.AEAD
			for i := 0; i < all; i += step {
				some, want = append(some, subjects[i]), append(want, made[i])
			}
			for i, got := range f.lookup(f.s, Identity(some...)...) {
				if (got == nil) != (want[i] == nil) || got != nil && !Same(got, want[i]) {
					f.Fatalf("%s, every %dth: key %d is another", order, step, i)
				}
			}
		}
	}
}
