package keyringtest

import (
	"bytes"
	"errors"

	"github.com/cleversender/cleversender/adapters/keyring"
)

var privateKey = bytes.Repeat([]byte("a private key, in plain. "), 80)

func (f *fixture) keep(s Store, name string, secret []byte) []byte {
	f.Helper()
	got, err := s.Keep(f.ctx, name, func() ([]byte, error) { return secret, nil })
	f.must(err)
	return got
}

var secrets = []promise{
	{"a MAC key is the same ever after, and one a purpose", func(f *fixture) {
		a, err := f.s.MACKey(f.ctx, "tracking")
		if err != nil || len(a) != 32 {
			f.Fatalf("%d bytes, %v", len(a), err)
		}
		clone := bytes.Clone(a)
		clear(a)
		b, err := f.s.MACKey(f.ctx, "confirm")
		f.must(err)
		for range 2 {
			again, err := f.s.MACKey(f.ctx, "tracking")
			if err != nil || !bytes.Equal(again, clone) || bytes.Equal(b, clone) {
				f.Errorf("secrets changed or are shared: %v", err)
			}
			f.restart()
		}
	}},
	{"the first secret of a name stays it, across restarts and epochs", func(f *fixture) {
		if got, err := f.s.Kept(f.ctx, "a"); got != nil || err != nil {
			f.Errorf("before: %v, %v", got, err)
		}
		if got := f.keep(f.s, "a", privateKey); !bytes.Equal(got, privateKey) {
			f.Error("another secret came back")
		}
		if got := f.keep(f.s, "a", []byte("another")); !bytes.Equal(got, privateKey) {
			f.Error("the secret was replaced")
		}
		none := errors.New("none was made")
		if _, err := f.s.Keep(f.ctx, "b", func() ([]byte, error) { return nil, none }); !errors.Is(err, none) {
			f.Error(err)
		}
		f.keep(f.s, "b", []byte("another"))
		_, err := f.s.NewEpoch(f.ctx)
		f.must(err)
		f.must(f.s.DestroyEpoch(f.ctx, 1))
		f.restart()
		if got, err := f.s.Kept(f.ctx, "a"); err != nil || !bytes.Equal(got, privateKey) {
			f.Errorf("after a restart: %v", err)
		}
	}},
	{"a secret that was destroyed is gone, and its name is not used again", func(f *fixture) {
		f.keep(f.s, "a", privateKey)
		f.keep(f.s, "b", []byte("another"))
		for _, name := range []string{"a", "a", "never"} {
			f.must(f.s.Destroy(f.ctx, name))
		}
		for range 2 {
			if _, err := f.s.Kept(f.ctx, "a"); !errors.Is(err, keyring.ErrDestroyed) {
				f.Errorf("opens: %v", err)
			}
			if _, err := f.s.Keep(f.ctx, "a", func() ([]byte, error) { return privateKey, nil }); !errors.Is(err, keyring.ErrDestroyed) {
				f.Errorf("kept again: %v", err)
			}
			if got, err := f.s.Kept(f.ctx, "b"); err != nil || string(got) != "another" {
				f.Errorf("another secret: %v", err)
			}
			f.restart()
		}
	}},
}
