package keyring

import (
	"bytes"
	"context"
	"crypto/cipher"
	"encoding/base64"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/google/uuid"

	"github.com/cleversender/cleversender/domain"
	"github.com/cleversender/cleversender/domain/personal"
)

var ctx = context.Background()

// Every step of a property is synced to the disk: fewer of them, unless asked for.
func TestMain(m *testing.M) {
	flag.Parse()
	if checks := flag.Lookup("rapid.checks"); checks.Value.String() == checks.DefValue {
		_ = checks.Value.Set("25")
	}
	os.Exit(m.Run())
}

func newRoot(t testing.TB) string {
	t.Helper()
	uri := "file://" + filepath.Join(t.TempDir(), "root.key")
	if err := CreateRootKey(uri); err != nil {
		t.Fatal(err)
	}
	return uri
}

func open(t testing.TB, dir, uri string) *Store {
	t.Helper()
	s, err := Open(ctx, filepath.Join(dir, "keys.db"), uri)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func newID(t testing.TB) domain.ID {
	t.Helper()
	id, err := uuid.NewV7()
	if err != nil {
		t.Fatal(err)
	}
	return domain.ID(id)
}

func identity(subjects ...domain.ID) []personal.KeyRef {
	refs := make([]personal.KeyRef, len(subjects))
	for i, s := range subjects {
		refs[i] = personal.KeyRef{Subject: s, Class: personal.Identity}
	}
	return refs
}

func ensure(t testing.TB, s *Store, refs ...personal.KeyRef) []cipher.AEAD {
	t.Helper()
	keys, err := s.Ensure(ctx, refs)
	if err != nil {
		t.Fatal(err)
	}
	return keys
}

// same reports that two keys are one: what the first seals the second opens.
func same(a, b cipher.AEAD) bool {
	nonce := make([]byte, nonceSize)
	_, err := b.Open(nil, nonce, a.Seal(nil, nonce, []byte("x"), nil), nil)
	return err == nil
}

func TestAKeyIsTheSameEverAfter(t *testing.T) {
	dir, uri := t.TempDir(), newRoot(t)
	s := open(t, dir, uri)
	refs := identity(newID(t), newID(t))
	refs = append(refs, personal.KeyRef{Subject: refs[0].Subject, Class: personal.Behaviour}, refs[0])
	first := ensure(t, s, refs...)
	if !same(first[0], first[3]) || same(first[0], first[1]) || same(first[0], first[2]) {
		t.Error("one key a person and class, no more, no fewer")
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	again, err := open(t, dir, uri).Lookup(ctx, refs)
	if err != nil {
		t.Fatal(err)
	}
	for i := range refs {
		if !same(first[i], again[i]) {
			t.Errorf("key %d is another after a restart", i)
		}
	}
}

// Who is new has a key for what they will do, asked for or not, and nobody
// gets a second one.
func TestTheKeyOfBehaviourIsMadeAhead(t *testing.T) {
	dir, uri := t.TempDir(), newRoot(t)
	s := open(t, dir, uri)
	early, both := newID(t), newID(t)
	did := func(p domain.ID) personal.KeyRef { return personal.KeyRef{Subject: p, Class: personal.Behaviour} }
	first := ensure(t, s, did(early), did(both), identity(both)[0], did(both))
	ensure(t, s, identity(early)...)
	late := newID(t)
	ensure(t, s, identity(late)...)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	keys, err := open(t, dir, uri).Lookup(ctx, []personal.KeyRef{did(late), did(early), did(both)})
	if err != nil {
		t.Fatal(err)
	}
	if keys[0] == nil || !same(keys[1], first[0]) || !same(keys[2], first[1]) || !same(keys[2], first[3]) {
		t.Error("a key is another after a restart")
	}
}

// Many people's keys are found whether they lie side by side, in whatever order
// they came, or far apart.
func TestKeysNearAndFar(t *testing.T) {
	const all = 400
	for order, batches := range map[string][][2]int{
		"by id":                   {{0, all}},
		"the last came first":     {{all / 2, all}, {0, all / 2}},
		"some came later":         {{0, 100}, {150, all}, {100, 150}},
		"the first one came last": {{1, all}, {0, 1}},
	} {
		dir, uri := t.TempDir(), newRoot(t)
		s := open(t, dir, uri)
		subjects, made := make([]domain.ID, all), make([]cipher.AEAD, all)
		for i := range subjects {
			subjects[i] = newID(t)
		}
		for _, b := range batches {
			copy(made[b[0]:b[1]], ensure(t, s, identity(subjects[b[0]:b[1]]...)...))
		}
		gone := all / 2
		if _, err := s.Shred(ctx, subjects[gone]); err != nil {
			t.Fatal(err)
		}
		made[gone] = nil
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		for _, step := range []int{1, 2, 20} {
			again := open(t, dir, uri) // nothing is cached
			var some []domain.ID
			var want []cipher.AEAD
			for i := 0; i < all; i += step {
				some, want = append(some, subjects[i]), append(want, made[i])
			}
			got, err := again.Lookup(ctx, identity(some...))
			if err != nil {
				t.Fatalf("%s, every %dth: %v", order, step, err)
			}
			for i := range got {
				if (got[i] == nil) != (want[i] == nil) || got[i] != nil && !same(got[i], want[i]) {
					t.Fatalf("%s, every %dth: key %d is another", order, step, i)
				}
			}
			if err := again.Close(); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// Few keys are kept for who asks again; those of an import or a campaign are not.
func TestKeysOfManyAreNotKept(t *testing.T) {
	s := open(t, t.TempDir(), newRoot(t))
	many, few := make([]domain.ID, bulk), make([]domain.ID, bulk-1)
	for i := range many {
		many[i] = newID(t)
	}
	for i := range few {
		few[i] = newID(t)
	}
	ensure(t, s, identity(many...)...)
	ensure(t, s, identity(many...)...)
	if n := len(s.cache.young); n != 0 {
		t.Errorf("%d of many are kept", n)
	}
	ensure(t, s, identity(few...)...)
	if n := len(s.cache.young); n != len(few) {
		t.Errorf("%d of %d are kept", n, len(few))
	}
}

// Who has given up waiting gets no keys.
func TestALookUpThatIsCancelled(t *testing.T) {
	dir, uri := t.TempDir(), newRoot(t)
	s := open(t, dir, uri)
	known := newID(t)
	ensure(t, s, identity(known)...)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	over, cancel := context.WithCancel(ctx)
	cancel()
	if _, err := open(t, dir, uri).Lookup(over, identity(known)); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

func TestCallersThatComeTogetherGetTheSameKeys(t *testing.T) {
	s := open(t, t.TempDir(), newRoot(t))
	refs := identity(newID(t), newID(t), newID(t))
	got := make([][]cipher.AEAD, 32)
	var all sync.WaitGroup
	for i := range got {
		all.Go(func() { got[i], _ = s.Ensure(ctx, refs) })
	}
	all.Wait()
	for i := range got {
		for k := range refs {
			if got[i] == nil || !same(got[0][k], got[i][k]) {
				t.Fatalf("caller %d has another key", i)
			}
		}
	}
}

func TestAKeyThatNeverExistedIsAFault(t *testing.T) {
	s := open(t, t.TempDir(), newRoot(t))
	known := newID(t)
	ensure(t, s, identity(known)...)
	for _, ref := range []personal.KeyRef{
		{Subject: newID(t), Class: personal.Identity},
		{Subject: known, Class: personal.Evidence},
		{Subject: domain.ID{1}, Class: personal.Identity},
	} {
		_, err := s.Lookup(ctx, []personal.KeyRef{{Subject: known, Class: personal.Identity}, ref})
		if !errors.Is(err, ErrKeyMissing) || errors.As(err, new(domain.Refusal)) {
			t.Errorf("got %v", err)
		}
	}
}

func TestAnErasedPersonHasNoKeyAndGetsNone(t *testing.T) {
	dir, uri := t.TempDir(), newRoot(t)
	s := open(t, dir, uri)
	gone, stranger, other := newID(t), newID(t), newID(t)
	refs := append(identity(gone, other), personal.KeyRef{Subject: gone, Class: personal.Evidence})
	before := ensure(t, s, refs...)
	for range 2 { // the second changes nothing
		if n, err := s.Shred(ctx, gone); err != nil || n != 3 { // of behaviour, too
			t.Fatalf("shredded %d, %v", n, err)
		}
	}
	if n, err := s.Shred(ctx, stranger); err != nil || n != 0 {
		t.Fatalf("shredded %d of a person without keys, %v", n, err)
	}
	for range 2 {
		for _, get := range []func(context.Context, []personal.KeyRef) ([]cipher.AEAD, error){s.Ensure, s.Lookup} {
			keys, err := get(ctx, append(refs, identity(stranger)...))
			if err != nil {
				t.Fatal(err)
			}
			if keys[0] != nil || keys[2] != nil || keys[3] != nil {
				t.Error("an erased person has a key")
			}
			if !same(keys[1], before[1]) {
				t.Error("somebody else lost theirs")
			}
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		s = open(t, dir, uri)
	}
}

func TestWithoutTheRightRootKeyNothingOpens(t *testing.T) {
	dir, uri := t.TempDir(), newRoot(t)
	if err := open(t, dir, uri).Close(); err != nil {
		t.Fatal(err)
	}
	bad := filepath.Join(t.TempDir(), "bad.key")
	if err := os.WriteFile(bad, []byte("c2hvcnQ=\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("KEYRING_TEST_EMPTY", "")
	for uri, want := range map[string]error{
		"file://" + dir + "/none":  ErrRootKeyMissing,
		"env://KEYRING_TEST_EMPTY": ErrRootKeyMissing,
		newRoot(t):                 ErrRootKeyWrong,
		"file://" + bad:            ErrRootKeyBad,
		"https://example.com/key":  ErrRootKeyURI,
		"":                         ErrRootKeyURI,
	} {
		if _, err := Open(ctx, filepath.Join(dir, "keys.db"), uri); !errors.Is(err, want) {
			t.Errorf("%s: got %v, want %v", uri, err, want)
		}
	}
	if _, err := os.Stat(filepath.Join(dir, "none")); err == nil {
		t.Error("opening made a root key")
	}
	if err := CreateRootKey(uri); !errors.Is(err, ErrRootKeyExists) {
		t.Errorf("a root key was made over another: %v", err)
	}
	if err := os.Remove(filepath.Join(dir, "keys.epochs")); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(ctx, filepath.Join(dir, "keys.db"), uri); !errors.Is(err, ErrEpochsMissing) {
		t.Errorf("without its epochs: %v", err)
	}
}

func TestTheRootKeyCanComeFromTheEnvironment(t *testing.T) {
	t.Setenv("KEYRING_TEST_ROOT", base64.StdEncoding.EncodeToString(bytes.Repeat([]byte{7}, 32)))
	open(t, t.TempDir(), "env://KEYRING_TEST_ROOT")
}

func TestASecretIsTheSameEverAfterAndOneAPurpose(t *testing.T) {
	dir, uri := t.TempDir(), newRoot(t)
	s := open(t, dir, uri)
	a, err := s.MACKey(ctx, "tracking")
	if err != nil || len(a) != 32 {
		t.Fatalf("%d bytes, %v", len(a), err)
	}
	clone := bytes.Clone(a)
	clear(a)
	b, _ := s.MACKey(ctx, "confirm")
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	again, err := open(t, dir, uri).MACKey(ctx, "tracking")
	if err != nil || !bytes.Equal(again, clone) || bytes.Equal(b, clone) {
		t.Errorf("secrets changed or are shared: %v", err)
	}
}

func TestWhatAFailedJobDidIsUndoneAndTheOthersGoOn(t *testing.T) {
	s := open(t, t.TempDir(), newRoot(t))
	broken := errors.New("broken")
	account := domain.ID{1}
	var all sync.WaitGroup
	for i := range 200 {
		all.Go(func() {
			if i%10 == 0 {
				err := s.writer.do(func(w *writer) error {
					if err := w.put(directoryBook, hash{byte(i), 255}, domain.ID{9}); err != nil {
						return err
					}
					return broken
				})
				if !errors.Is(err, broken) {
					t.Errorf("got %v", err)
				}
				return
			}
			ensure(t, s, identity(newID(t))...)
			if _, err := s.Reserve(ctx, account, []string{string(rune('a'+i%26)) + "@example.com"}); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	for i := range 20 {
		_, found, err := s.reader.lookIn(ctx, directoryBook, hash{byte(10 * i), 255})
		if err != nil || found {
			t.Fatalf("what was undone is there: %v", err)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Ensure(ctx, identity(newID(t))); !errors.Is(err, ErrClosed) {
		t.Errorf("after Close: %v", err)
	}
}
