package sqlite

import (
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/cleversender/cleversender/adapters/keyring"
	"github.com/cleversender/cleversender/adapters/keyring/keyringtest"
	"github.com/cleversender/cleversender/domain"
)

func reserve(t testing.TB, s *Store, account domain.ID, addresses ...string) []keyring.Reservation {
	t.Helper()
	rs, err := s.Reserve(ctx, account, addresses)
	if err != nil {
		t.Fatal(err)
	}
	return rs
}

func TestEverybodyIsFoundAgainAmongMany(t *testing.T) {
	dir, uri := t.TempDir(), keyringtest.NewRoot(t)
	s := open(t, dir, uri)
	account := domain.ID{1}
	const batches, each = 8, 3000
	got := make([][]keyring.Reservation, batches)
	names := func(batch int) []string {
		out := make([]string, each)
		for i := range out {
			out[i] = fmt.Sprintf("p%d@example.com", batch*each+i)
		}
		return out
	}
	var all sync.WaitGroup
	for i := range batches {
		all.Go(func() { got[i], _ = s.Reserve(ctx, account, names(i)) })
	}
	all.Wait()
	check := func(state string) {
		seen := map[domain.ID]bool{}
		for i := range batches {
			for k, r := range reserve(t, s, account, names(i)...) {
				if !r.Known || r.Person != got[i][k].Person || seen[r.Person] {
					t.Fatalf("%s: batch %d, address %d: %+v, was %+v", state, i, k, r, got[i][k])
				}
				seen[r.Person] = true
			}
			if p, found, err := s.Find(ctx, account, names(i)[7]); err != nil || !found || p != got[i][7].Person {
				t.Fatalf("%s: batch %d: found %v, %v", state, i, found, err)
			}
		}
	}
	check("staged")
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = open(t, dir, uri)
	if err := s.writer.do(func(w *writer) error {
		if len(w.staging.entries) == 0 {
			return errors.New("nothing was staged")
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	check("staged, after a restart")
	if err := s.writer.do((*writer).merge); err != nil {
		t.Fatal(err)
	}
	check("merged")
	if n := len(s.writer.books[directoryBook].bounds); n < batches*each/perBucket {
		t.Errorf("%d buckets hold %d addresses", n, batches*each)
	}
	if s.writer.staged.Load() {
		t.Error("something is still staged")
	}
}

func TestWhatIsStagedIsMovedAndForgottenToo(t *testing.T) {
	dir, uri := t.TempDir(), keyringtest.NewRoot(t)
	s := open(t, dir, uri)
	account := domain.ID{1}
	names := make([]string, stageAtLeast+100)
	for i := range names {
		names[i] = fmt.Sprintf("p%d@example.com", i%(stageAtLeast+50)) // some twice
	}
	people := reserve(t, s, account, names...)
	if last := len(names) - 1; !people[last].Known || people[last].Person != people[last-stageAtLeast-50].Person {
		t.Errorf("an address that came twice: %+v", people[last])
	}
	if err := s.Forget(ctx, account, names[1], people[1].Person, true); err != nil {
		t.Fatal(err)
	}
	if err := s.Move(ctx, account, names[2], "new@example.com", people[2].Person); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		for address, want := range map[string]domain.ID{
			names[0]: people[0].Person, names[1]: {}, names[2]: {}, "new@example.com": people[2].Person,
		} {
			if p, found, err := s.Find(ctx, account, address); err != nil || p != want || found == want.IsZero() {
				t.Errorf("%s: found %v %v, %v", address, found, p, err)
			}
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		s = open(t, dir, uri)
	}
}
