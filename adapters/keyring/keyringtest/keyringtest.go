// Package keyringtest is what every keyring has to pass: the promises of
// package keyring, each a named test.
package keyringtest

import (
	"bytes"
	"context"
	"crypto/cipher"
	"flag"
	"path/filepath"
	"testing"

	"github.com/google/uuid"

	"github.com/cleversender/cleversender/adapters/keyring"
	"github.com/cleversender/cleversender/domain"
	"github.com/cleversender/cleversender/domain/personal"
)

// Store is every method of a keyring.
type Store interface {
	Ensure(ctx context.Context, refs []personal.KeyRef) ([]cipher.AEAD, error)
	Lookup(ctx context.Context, refs []personal.KeyRef) ([]cipher.AEAD, error)
	Shred(ctx context.Context, subject domain.ID) (keys int, err error)
	Purge(ctx context.Context) error
	Epoch() int
	NewEpoch(ctx context.Context) (epoch int, err error)
	DestroyEpoch(ctx context.Context, epoch int) error
	MACKey(ctx context.Context, purpose string) ([]byte, error)
	Keep(ctx context.Context, name string, make func() ([]byte, error)) ([]byte, error)
	Kept(ctx context.Context, name string) ([]byte, error)
	Destroy(ctx context.Context, name string) error
	Reserve(ctx context.Context, account domain.ID, addresses []string) ([]keyring.Reservation, error)
	Find(ctx context.Context, account domain.ID, address string) (person domain.ID, found bool, err error)
	Suppressed(ctx context.Context, account domain.ID, address string) (bool, error)
	Move(ctx context.Context, account domain.ID, old, new string, person domain.ID) error
	Forget(ctx context.Context, account domain.ID, address string, person domain.ID, suppress bool) error
	Unsuppress(ctx context.Context, account domain.ID, address string) error
	Close() error
}

// Open opens the keyring of one test with the root key that uri names: an empty
// one the first time, then what was there.
type Open func(uri string) (Store, error)

// Run runs the promises; newHome makes an empty keyring for each.
func Run(t *testing.T, newHome func(*testing.T) Open) {
	for _, of := range [][]promise{keys, erasure, epochs, secrets, directory} {
		run(t, newHome, of)
	}
}

// RunShared runs what is promised besides when several nodes have one keyring open.
func RunShared(t *testing.T, newHome func(*testing.T) Open) { run(t, newHome, shared) }

func run(t *testing.T, newHome func(*testing.T) Open, all []promise) {
	for _, p := range all {
		t.Run(p.name, func(t *testing.T) {
			f := &fixture{T: t, ctx: t.Context(), fresh: newHome, home: newHome(t), root: NewRoot(t)}
			f.s = f.open()
			p.check(f)
		})
	}
}

// FewerChecks lets a property be tried less often, unless -rapid.checks says
// otherwise: every step of it is on the disk. It is called by TestMain.
func FewerChecks() {
	flag.Parse()
	if checks := flag.Lookup("rapid.checks"); checks.Value.String() == checks.DefValue {
		_ = checks.Value.Set("25")
	}
}

type promise struct {
	name  string
	check func(f *fixture)
}

type fixture struct {
	*testing.T
	ctx   context.Context
	fresh func(*testing.T) Open
	home  Open
	root  string
	s     Store
}

// open opens the keyring once more.
func (f *fixture) open() Store {
	f.Helper()
	s, err := f.home(f.root)
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { _ = s.Close() })
	return s
}

// restart leaves nothing in memory.
func (f *fixture) restart() {
	f.Helper()
	f.must(f.s.Close())
	f.s = f.open()
}

func (f *fixture) must(err error) {
	f.Helper()
	if err != nil {
		f.Fatal(err)
	}
}

func (f *fixture) ensure(s Store, refs ...personal.KeyRef) []cipher.AEAD {
	f.Helper()
	keys, err := s.Ensure(f.ctx, refs)
	f.must(err)
	return keys
}

func (f *fixture) lookup(s Store, refs ...personal.KeyRef) []cipher.AEAD {
	f.Helper()
	keys, err := s.Lookup(f.ctx, refs)
	f.must(err)
	return keys
}

func (f *fixture) reserve(s Store, account domain.ID, addresses ...string) []keyring.Reservation {
	f.Helper()
	rs, err := s.Reserve(f.ctx, account, addresses)
	f.must(err)
	return rs
}

// NewRoot makes a root key, and returns its URI.
func NewRoot(t testing.TB) string {
	t.Helper()
	uri := "file://" + filepath.Join(t.TempDir(), "root.key")
	if err := keyring.CreateRootKey(uri); err != nil {
		t.Fatal(err)
	}
	return uri
}

// NewID is a person who is new.
func NewID() domain.ID { return domain.ID(uuid.Must(uuid.NewV7())) }

// NewIDs is n people who are new.
func NewIDs(n int) []domain.ID {
	ids := make([]domain.ID, n)
	for i := range ids {
		ids[i] = NewID()
	}
	return ids
}

// Identity names the keys of who people are.
func Identity(subjects ...domain.ID) []personal.KeyRef {
	refs := make([]personal.KeyRef, len(subjects))
	for i, s := range subjects {
		refs[i] = personal.KeyRef{Subject: s, Class: personal.Identity}
	}
	return refs
}

func behaviour(subject domain.ID) personal.KeyRef {
	return personal.KeyRef{Subject: subject, Class: personal.Behaviour}
}

// Same reports that two keys are one: what the first seals the second opens.
func Same(a, b cipher.AEAD) bool {
	nonce := make([]byte, a.NonceSize())
	_, err := b.Open(nil, nonce, a.Seal(nil, nonce, []byte("x"), nil), nil)
	return err == nil
}

func less(a, b domain.ID) bool { return bytes.Compare(a[:], b[:]) < 0 }
