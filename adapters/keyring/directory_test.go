package keyring

import (
	"errors"
	"fmt"
	"sync"
	"testing"

	"pgregory.net/rapid"

	"github.com/cleversender/cleversender/domain"
)

func reserve(t testing.TB, s *Store, account domain.ID, addresses ...string) []Reservation {
	t.Helper()
	rs, err := s.Reserve(ctx, account, addresses)
	if err != nil {
		t.Fatal(err)
	}
	return rs
}

func TestAnAddressHasOnePersonAnAccount(t *testing.T) {
	dir, uri := t.TempDir(), newRoot(t)
	s := open(t, dir, uri)
	a, b := domain.ID{1}, domain.ID{2}
	first := reserve(t, s, a, "ann@example.com", "bob@example.com", "ann@example.com")
	if first[0].Known || first[1].Known || !first[2].Known || first[0].Person != first[2].Person || first[0].Person == first[1].Person {
		t.Errorf("got %+v", first)
	}
	if compareIDs(first[0].Person, first[1].Person) >= 0 {
		t.Error("ids do not grow in the order of the addresses")
	}
	other := reserve(t, s, b, "ann@example.com")
	if other[0].Known || other[0].Person == first[0].Person {
		t.Error("two accounts share a person")
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = open(t, dir, uri)
	again := reserve(t, s, a, "bob@example.com")
	if !again[0].Known || again[0].Person != first[1].Person {
		t.Error("a person is another after a restart")
	}
	if _, found, err := s.Find(ctx, a, "eve@example.com"); found || err != nil {
		t.Errorf("found somebody who is not there, or %v", err)
	}
}

func TestEverybodyIsFoundAgainAmongMany(t *testing.T) {
	dir, uri := t.TempDir(), newRoot(t)
	s := open(t, dir, uri)
	account := domain.ID{1}
	const batches, each = 8, 3000
	got := make([][]Reservation, batches)
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
	dir, uri := t.TempDir(), newRoot(t)
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

func TestMovingToAnAddressThatIsTakenOrSuppressedIsRefused(t *testing.T) {
	s := open(t, t.TempDir(), newRoot(t))
	account := domain.ID{1}
	rs := reserve(t, s, account, "ann@example.com", "bob@example.com", "gone@example.com")
	ann, gone := rs[0].Person, rs[2].Person
	if err := s.Forget(ctx, account, "gone@example.com", gone, true); err != nil {
		t.Fatal(err)
	}
	if err := s.Move(ctx, account, "ann@example.com", "bob@example.com", ann); !errors.Is(err, ErrAddressTaken) {
		t.Errorf("taken: %v", err)
	}
	if err := s.Move(ctx, account, "ann@example.com", "gone@example.com", ann); !errors.Is(err, ErrAddressSuppressed) {
		t.Errorf("suppressed: %v", err)
	}
	if p, found, _ := s.Find(ctx, account, "ann@example.com"); !found || p != ann {
		t.Error("a refused move moved")
	}
}

func TestAnAddressThatIsSomebodyElsesByNowIsLeftAlone(t *testing.T) {
	s := open(t, t.TempDir(), newRoot(t))
	account := domain.ID{1}
	first := reserve(t, s, account, "ann@example.com")[0].Person
	if err := s.Move(ctx, account, "ann@example.com", "ann@example.org", first); err != nil {
		t.Fatal(err)
	}
	second := reserve(t, s, account, "ann@example.com")[0].Person
	if err := s.Forget(ctx, account, "ann@example.com", first, true); err != nil {
		t.Fatal(err)
	}
	if p, found, _ := s.Find(ctx, account, "ann@example.com"); !found || p != second {
		t.Error("the second owner lost the address")
	}
	if yes, _ := s.Suppressed(ctx, account, "ann@example.com"); yes {
		t.Error("the second owner's address is suppressed")
	}
}

func TestTheDirectoryDoesWhatASimpleOneDoes(t *testing.T) {
	s := open(t, t.TempDir(), newRoot(t))
	addresses := []string{"a@example.com", "b@example.com", "c@example.com"}
	rapid.Check(t, func(r *rapid.T) {
		account := newID(t)
		held, gone := map[string]domain.ID{}, map[string]bool{}
		one := rapid.SampledFrom(addresses)
		r.Repeat(map[string]func(*rapid.T){
			"reserve": func(r *rapid.T) {
				which := rapid.SliceOfN(one, 1, 4).Draw(r, "addresses")
				got, err := s.Reserve(ctx, account, which)
				if err != nil {
					r.Fatal(err)
				}
				for i, a := range which {
					p, known := held[a]
					want := Reservation{Person: p, Known: known, Suppressed: !known && gone[a]}
					if !known && !gone[a] {
						want.Person = got[i].Person
						held[a] = want.Person
					}
					if got[i] != want || want.Person.IsZero() != want.Suppressed {
						r.Fatalf("%s: %+v, want %+v", a, got[i], want)
					}
				}
			},
			"move": func(r *rapid.T) {
				from, to := one.Draw(r, "from"), one.Draw(r, "to")
				p, ok := held[from]
				if !ok {
					return
				}
				holder, taken := held[to]
				err := s.Move(ctx, account, from, to, p)
				switch {
				case taken && holder != p:
					if !errors.Is(err, ErrAddressTaken) {
						r.Fatal(err)
					}
				case !taken && gone[to]:
					if !errors.Is(err, ErrAddressSuppressed) {
						r.Fatal(err)
					}
				case err != nil:
					r.Fatal(err)
				default:
					delete(held, from)
					held[to] = p
				}
			},
			"forget": func(r *rapid.T) {
				a, suppress := one.Draw(r, "address"), rapid.Bool().Draw(r, "suppress")
				if err := s.Forget(ctx, account, a, held[a], suppress); err != nil {
					r.Fatal(err)
				}
				delete(held, a)
				gone[a] = gone[a] || suppress
			},
			"unsuppress": func(r *rapid.T) {
				a := one.Draw(r, "address")
				if err := s.Unsuppress(ctx, account, a); err != nil {
					r.Fatal(err)
				}
				delete(gone, a)
			},
			"": func(r *rapid.T) {
				for _, a := range addresses {
					p, found, err := s.Find(ctx, account, a)
					if want, ok := held[a]; err != nil || found != ok || p != want {
						r.Fatalf("%s: found %v %v, %v", a, found, p, err)
					}
					if yes, err := s.Suppressed(ctx, account, a); err != nil || yes != gone[a] {
						r.Fatalf("%s: suppressed %v, %v", a, yes, err)
					}
				}
			},
		})
	})
}
