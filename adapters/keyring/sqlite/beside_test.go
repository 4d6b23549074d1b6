package sqlite

import (
	"bytes"
	"crypto/cipher"
	"testing"

	"github.com/cleversender/cleversender/adapters/keyring/keyringtest"
	"github.com/cleversender/cleversender/domain"
	"github.com/cleversender/cleversender/domain/personal"
)

func of(class personal.Class, people []domain.ID) (refs []personal.KeyRef) {
	for _, id := range people {
		refs = append(refs, personal.KeyRef{Subject: id, Class: class})
	}
	return refs
}

func same(a, b cipher.AEAD) bool {
	seal := func(k cipher.AEAD) []byte { return k.Seal(nil, make([]byte, k.NonceSize()), []byte("x"), nil) }
	return bytes.Equal(seal(a), seal(b))
}

// To whom a campaign was sent, of them the keys of behaviour are in memory, but for
// those who were erased meanwhile.
func TestKeysOfBehaviourAreReadAlong(t *testing.T) {
	dir, uri := t.TempDir(), keyringtest.NewRoot(t)
	s := open(t, dir, uri)
	var people []domain.ID
	for range 100 {
		people = append(people, keyringtest.NewID())
	}
	ensure(t, s, of(personal.Identity, people)...)
	stored := ensure(t, s, of(personal.Behaviour, people)...)
	if _, err := s.Lookup(ctx, of(personal.Identity, people)); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Shred(ctx, people[7]); err != nil {
		t.Fatal(err)
	}
	if err := s.reader.close(); err != nil { // from here on only memory answers
		t.Fatal(err)
	}
	for i, ref := range of(personal.Behaviour, people) {
		if i == 7 {
			if _, err := s.Ensure(ctx, []personal.KeyRef{ref}); err == nil {
				t.Error("the key of who was erased is still in memory")
			}
			continue
		}
		if key := ensure(t, s, ref); !same(key[0], stored[i]) {
			t.Errorf("person %d: another key", i)
		}
	}
}
